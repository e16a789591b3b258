"""What supervisor and workers know each other by, and the shapes of what they say."""
