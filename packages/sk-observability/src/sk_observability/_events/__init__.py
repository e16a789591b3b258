"""Lifecycle events: numbered, kept, bounded, and how bad each is."""
