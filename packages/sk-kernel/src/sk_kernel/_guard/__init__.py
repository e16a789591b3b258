"""Guards around application code: forks, exits, a close that hangs, the line that raised."""
