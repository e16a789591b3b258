"""Channels for events, spans and metrics, and accounts of what became of them."""
