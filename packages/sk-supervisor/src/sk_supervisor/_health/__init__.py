"""Health endpoints: the listeners, and the answers to probes and scrapes."""
