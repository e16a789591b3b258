"""How things read: lengths of time, escaped HTML, JSON lines, and what nobody may be shown."""
