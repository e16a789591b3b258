"""The exit code of a run that is over: whatever comes behind it, it is the run's."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

#: The command, with the signal that it gets at a moment of its last, behind its run.
_OVER = """
import atexit, os, signal, sys, threading
from sk_fundload.__main__ import main

moment, number = sys.argv[1], int(sys.argv[2])

class Late:
    def __del__(self, got=signal.raise_signal):
        got(number)

def behind_main():
    threading.main_thread().join()
    os.kill(os.getpid(), number)

late = Late() if moment == "teardown" else None
if moment == "exit":
    atexit.register(signal.raise_signal, number)
if moment == "threads":
    threading.Thread(target=behind_main).start()
sys.argv = ["sk-fundload", *sys.argv[3:]]
main()
"""


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("threads", signal.SIGTERM),
        ("exit", signal.SIGINT),
        ("teardown", signal.SIGINT),
        ("teardown", signal.SIGTERM),
    ],
)
def test_a_signal_behind_the_end_changes_neither_the_code_nor_the_output(
    tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"x\n")
    run = ["run", "--rules", "baseline", "--profile", "memory", "--quiet"]
    run += ["--input", str(source), "--output", str(output)]
    words = [sys.executable, "-c", _OVER, moment, str(int(number)), *run]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert output.read_bytes().count(b"\n") == 1
