"""Limits of the system: what a multiprocess run needs, and whether it is available."""
