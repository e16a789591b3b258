"""Settings of the C library's allocator, for the memory that a process of the run frees."""

from __future__ import annotations

import ctypes
import os
from typing import Final

#: From <malloc.h>; see mallopt(3).
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
#: Most frames are smaller than the first, and those in transit than the second; freed memory beyond
#: it is returned to the system.
_LARGE_BYTES: Final = 8 << 20
_KEPT_BYTES: Final = 16 << 20
#: If one of these is set, the user has chosen other settings.
_CHOSEN: Final = ("GLIBC_TUNABLES", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def keep_freed_memory() -> bool:
    """Keep up to 16 MiB of freed memory for reuse in this process; return whether that is set.

    Otherwise each process returns every frame of a megabyte to the system and requests it again,
    page by page: with large records that takes half of the processor time. Applies to glibc's
    allocator only, and not if the environment has settings for it.
    """
    if any(name in os.environ for name in _CHOSEN):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return False
    settings = (_M_MMAP_THRESHOLD, _LARGE_BYTES), (_M_TRIM_THRESHOLD, _KEPT_BYTES)
    return all(mallopt(*setting) == 1 for setting in settings)
