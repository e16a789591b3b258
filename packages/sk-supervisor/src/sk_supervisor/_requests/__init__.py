"""Requests to the nodes of a run: sent to their groups, in flight, answered."""
