"""Replay of dead letters, or of one record of a run."""
