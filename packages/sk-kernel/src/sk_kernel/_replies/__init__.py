"""Requests as their callers see them: routing, waiting, replies."""
