"""Dead letters, and the files that they are in."""
