"""Spans: noted while nodes run, and made in groups."""
