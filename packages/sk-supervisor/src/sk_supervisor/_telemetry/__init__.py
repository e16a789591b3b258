"""What a run tells of itself: rails for events, spans and metrics, and their conservation."""
