"""Drivers of sources and sinks."""
