"""The supervisor of the memory profile: the same lifecycle, in this process."""
