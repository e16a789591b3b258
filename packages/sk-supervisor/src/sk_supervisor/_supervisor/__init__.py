"""The supervisor of real worker processes, put together of its parts."""
