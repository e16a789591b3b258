"""A run in the memory profile: the whole graph in one thread of this process."""
