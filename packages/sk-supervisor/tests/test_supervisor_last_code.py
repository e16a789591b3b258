"""The exit code of a run that is over: whatever comes behind it, it is the run's."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sk_config import build_config
from sk_supervisor import run
from supervisor_harness import expected, settings

#: A command whose run is over, with the signal that it gets at a moment of its last.
_OVER = """
import atexit, signal, sys
from sk_supervisor._system.last_code import LastCode

moment, number, at_once = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "at once"
last = LastCode()
last.hold()
last.at_once = at_once

class Late:
    def __del__(self, got=signal.raise_signal):
        got(number)

late = Late() if moment == "teardown" else None
if moment == "exit":
    atexit.register(signal.raise_signal, number)
print("what the sink wrote")
last.settle(4)
last.keep()
if moment == "now":
    signal.raise_signal(number)
sys.exit(4)
"""


@pytest.mark.parametrize(
    ("moment", "number", "how"),
    [
        ("now", signal.SIGTERM, ""),
        ("exit", signal.SIGINT, "at once"),
        ("teardown", signal.SIGTERM, ""),
    ],
)
def test_a_signal_behind_the_end_changes_neither_the_code_nor_the_output(
    moment: str, number: signal.Signals, how: str
) -> None:
    words = [sys.executable, "-c", _OVER, moment, str(int(number)), how]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (4, "what the sink wrote\n"), ended.stderr
    assert ended.stderr == ""


class _Unread(io.StringIO):
    """A pipe that is full as soon as the end is to be told."""

    def __init__(self) -> None:
        super().__init__()
        self.read = threading.Event()

    def write(self, text: str, /) -> int:
        if text.startswith("completed: "):
            self.read.wait()
        return super().write(text)


def test_a_finished_run_ends_though_nobody_reads_what_it_has_to_say(target: Path) -> None:
    platform = {"admin": {"enabled": False}}
    config = build_config(settings(target, mode="inline", groups=(), platform=platform))
    stream = _Unread()
    try:
        assert run(config, run_id="r1", stderr=stream) == 0
        assert "completed" not in stream.getvalue()
    finally:
        stream.read.set()
    assert target.read_text().splitlines() == expected(20)
