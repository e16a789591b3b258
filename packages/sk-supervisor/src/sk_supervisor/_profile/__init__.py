"""Time profiles: measuring and printing."""
