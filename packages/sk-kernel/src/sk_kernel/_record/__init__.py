"""A record beside its payload: envelope, keys, ids, and the trace that it is in."""
