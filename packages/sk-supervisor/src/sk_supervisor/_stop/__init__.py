"""The stop: the drain, and the stop ladder, step by step."""
