"""Lifecycles of workers and groups: states, deadlines, restarts, evidence of failures."""
