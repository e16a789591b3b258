"""Check and build the configured exporters."""
