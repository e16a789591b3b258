"""Running sources and sinks."""
