"""Decisions before a process exists: preflight, placement, choice of the supervisor."""
