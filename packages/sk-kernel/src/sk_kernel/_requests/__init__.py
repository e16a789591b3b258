"""Requests within the graph, and between processes."""
