"""The operating system: threads, signals, streams, local services."""
