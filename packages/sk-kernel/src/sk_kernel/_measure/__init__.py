"""Measured costs, as values that can be added."""
