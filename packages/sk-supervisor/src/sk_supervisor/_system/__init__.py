"""Access to the operating system: threads, signals, streams, memory."""
