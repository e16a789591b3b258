"""What the workers of one run connect to, and how they are started."""
