"""Define the metrics, read them from a snapshot and export them."""
