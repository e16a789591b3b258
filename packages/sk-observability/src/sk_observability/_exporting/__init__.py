"""Define exporters, find them by kind and isolate the run from their failures."""
