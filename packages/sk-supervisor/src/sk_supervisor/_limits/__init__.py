"""The limits of the system: what a run over processes needs of it, and whether that is there."""
