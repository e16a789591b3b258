"""Identities of supervisor and workers, and the forms of their messages."""
