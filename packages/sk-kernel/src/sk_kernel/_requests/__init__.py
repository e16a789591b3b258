"""Requests within the graph, and their way between processes."""
