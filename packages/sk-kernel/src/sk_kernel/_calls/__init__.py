"""Calling nodes on records: directly, with spans, or with a failure policy."""
