"""Requests within the graph: visits, answers, and their way between processes."""
