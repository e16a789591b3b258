"""Text: durations, escaped HTML, JSON lines, masking of secrets."""
