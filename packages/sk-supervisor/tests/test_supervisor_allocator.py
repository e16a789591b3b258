"""What a process of ours frees it keeps for the next frame, unless a user has said otherwise."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from sk_supervisor._system.allocator import keep_freed_memory
from supervisor_harness import ONE_GROUP, settings

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")

#: Takes and frees a frame again and again, beside something that lives; tells the page faults.
_PROBE: Final = """
import resource, sys
from sk_supervisor._system.allocator import keep_freed_memory
print(keep_freed_memory() if sys.argv[1] == "kept" else None)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    frames = [bytes(500_000) + b"." for _ in range(8)]
before = faults()
for _ in range(50):
    frames = None
    frames = [bytes(500_000) + b"." for _ in range(8)]
print(faults() - before)
"""


def probe(how: str, **variables: str) -> tuple[str, int]:
    """What the call said, and the page faults of 400 frames behind it, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROBE, how],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said, faults = ran.stdout.split()
    return said, int(faults)


@glibc
def test_frames_are_made_of_memory_that_the_process_has_already() -> None:
    said, faults = probe("kept")
    assert said == "True"
    _, otherwise = probe("as it is")
    assert faults < otherwise / 10


@glibc
def test_a_worker_does_so_from_its_beginning(
    target: Path, ask: Callable[..., tuple[int, str, str]]
) -> None:
    config = settings(target, groups=ONE_GROUP, work={"at": 1, "do": "churn"})
    code, _, err = ask("run", config, "--quiet")
    assert code == 0, err
    first, *_ = target.read_text().splitlines()
    faults = int(first.split()[-1])
    _, otherwise = probe("as it is")
    assert faults < otherwise / 2  # it grows to its size, and stays there


@glibc
@pytest.mark.parametrize("variable", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_a_user_s_own_setting_of_the_allocator_stands(variable: str) -> None:
    said, _ = probe("kept", **{variable: "131072"})
    assert said == "False"


def test_a_library_without_such_settings_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Musl:
        """Has no `mallopt`."""

    monkeypatch.setattr("ctypes.CDLL", lambda _: Musl())
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    assert keep_freed_memory() is False
