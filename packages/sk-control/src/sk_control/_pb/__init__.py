"""Generated code; made by `python proto/generate.py`, never edited."""
