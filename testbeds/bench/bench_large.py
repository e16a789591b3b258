"""One run of four processes with very many records, for their memory alone (P5)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil
from bench_four import Four
from bench_memory import Peak, Sampler
from bench_systems import START_UP_RECORDS

RECORDS: Final = 10_000_000
_GIB: Final = 2**30
_MEMORY_BYTES: Final = 500
"""Of a record in all processes: 340 of state were measured, and what else there is."""
_DISK_BYTES: Final = 250
"""Of a record in files: 94 of input and 53 of output were measured."""


def lacking(records: int, memory: int, disk: int) -> str:
    """Say what such a run lacks, where so many bytes are free; nothing where it lacks nothing."""
    for what, free, each in (("memory", memory, _MEMORY_BYTES), ("disk", disk, _DISK_BYTES)):
        if free < records * each:
            wanted = f"{records * each / _GIB:.1f} GiB of {what}"
            return f"it wants {wanted}, {free / _GIB:.1f} are free"
    return ""


def no_room(records: int, folder: Path) -> str:
    """Say what such a run lacks on this machine at this moment."""
    return lacking(records, psutil.virtual_memory().available, shutil.disk_usage(folder).free)


def peak_of(records: int, four: Four, say: Callable[[str], None]) -> Peak:
    """Run, and give the memory that was seen: without PSS, dear to tell of large processes.

    A run of few goes before it: who compiles modules takes more memory than who finds them so.

    :raises RunFailedError: when the run fails, or the generator of its input does.
    """
    four.run("four", START_UP_RECORDS)
    sampler = Sampler(pss=False)
    ended = four.run("four", records, sampler=sampler)
    say(f"memory: four, {records:,}: {ended.wall_seconds:.2f} s")
    return sampler.peak()
