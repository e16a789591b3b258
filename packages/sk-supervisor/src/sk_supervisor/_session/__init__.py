"""The endpoints that the workers of one run connect to, and the start of these workers."""
