"""The parts of a record in addition to its payload: envelope, keys, ids, trace."""
