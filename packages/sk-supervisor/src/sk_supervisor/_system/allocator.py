"""What the C library's allocator does with memory that is freed, in a process that is ours."""

from __future__ import annotations

import ctypes
import os
from typing import Final

#: Of <malloc.h>, see mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
#: Frames are mostly smaller, and so many of them are on their way: what is more goes back.
_LARGE_BYTES: Final = 8 << 20
_KEPT_BYTES: Final = 16 << 20
#: Whoever sets one of these has chosen.
_CHOSEN: Final = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Have this process keep up to 16 MiB of what it frees, to use it again; says whether it does.

    A frame of a megabyte is else given back to the system and asked for anew, page by page, by each
    process that it passes: where records are large, half of the processor time. Done with glibc's
    allocator alone, and not where the environment has settings of its own for it.
    """
    if any(name in os.environ for name in _CHOSEN):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library
        return False
    settings = (_M_MMAP_THRESHOLD, _LARGE_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return all(mallopt(*setting) == 1 for setting in settings)
