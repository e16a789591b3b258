"""Commands for other runs, over their admin sockets."""
