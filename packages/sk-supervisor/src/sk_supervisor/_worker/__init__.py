"""A worker process: what it is built of, its main loop, and what it says of itself."""
