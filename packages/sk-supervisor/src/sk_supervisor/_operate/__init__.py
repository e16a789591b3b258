"""Looking at other runs, and stopping them, by their admin sockets."""
