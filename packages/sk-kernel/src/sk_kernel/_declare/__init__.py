"""Declarations: what the decorators read from functions and classes."""
