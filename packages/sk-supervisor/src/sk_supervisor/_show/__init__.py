"""A run on a terminal while it is under way."""
