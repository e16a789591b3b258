"""The supervisor of the memory profile, which runs everything in this process."""
