"""Lifecycle events: numbered, kept, bounded, with a severity."""
