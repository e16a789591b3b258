"""Spans: noted while nodes run, and made many at once."""
