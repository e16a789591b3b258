"""Requests to the nodes of a run: handed to their groups, in flight, answered."""
