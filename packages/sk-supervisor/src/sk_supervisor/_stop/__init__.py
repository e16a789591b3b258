"""The stop: draining, and the ladder, rung by rung."""
