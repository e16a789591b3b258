"""Metrics: what they are, how each is read from a snapshot, and who is handed them."""
