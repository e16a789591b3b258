"""A worker process: its assembly, its main loop, its reports."""
