"""Calling nodes on records: plainly, watched, guarded."""
