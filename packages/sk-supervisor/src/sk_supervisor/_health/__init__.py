"""Probes and scrapes: what they are answered, and the listeners."""
