"""Running a segment, batch by batch."""
