"""Node spans on their way to the exporters, and their account."""
