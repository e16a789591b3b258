"""The lives of workers and groups: states, deadlines, restarts, and what is known at a failure."""
