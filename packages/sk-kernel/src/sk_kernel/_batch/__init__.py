"""Batches: columns of payloads on their way through a segment."""
