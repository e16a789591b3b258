"""A record beside its payload: envelope, keys, ids and trace."""
