"""Requests as their callers see them: routed, waited for, replied to."""
