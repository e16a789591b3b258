"""What is settled before a process exists: preflight, placement, and which supervisor it is."""
