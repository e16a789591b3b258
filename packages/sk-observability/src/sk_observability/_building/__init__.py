"""Check the configured exporters and build them."""
