"""The operating system beneath all else: threads, signals, streams, local services."""
