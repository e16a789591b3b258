"""Metrics: their table, how each is read from a snapshot, and how they are exported."""
