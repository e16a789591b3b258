"""Access to the operating system: threads, signals, streams, local services."""
