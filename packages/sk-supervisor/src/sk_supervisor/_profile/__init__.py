"""What a profiled run measures, and how that is told."""
