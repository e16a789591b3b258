"""Spans of nodes on their way to the exporters, and their account."""
