"""A worker process: its parts, its main loop and its reports."""
