"""The display of a running run on a terminal."""
