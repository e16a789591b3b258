"""The display of a run on a terminal while it runs."""
