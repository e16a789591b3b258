"""Dead letters and their files."""
