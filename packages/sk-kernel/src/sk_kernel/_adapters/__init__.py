"""Driving sources and sinks."""
