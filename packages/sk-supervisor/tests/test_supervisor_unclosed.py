"""An interpreter that ends inside the block of ``serve()`` drains the run, and does not wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from supervisor_harness import PATIENCE

APPS = Path(__file__).parent / "apps"

#: A program that enters the block and never leaves it: ``PROFILE GATE``. With a gate, its source
#: breaks when the gate opens.
PROGRAM = """
import atexit, sys
from pathlib import Path
from asking import ONE, asked
from sk_supervisor import serve

profile, gate = sys.argv[1:]
config = asked(ONE if profile == "processes" else None)
if gate:
    breaks = {"name": "breaks", "settings": {"gate": gate}}
    adapters = {"source": breaks, "sink": {"name": "replies"}}
    config = asked(None, modules=("asked_app", "asked_streams"), adapters=adapters)
atexit.register(lambda: print(service.wait(0), service.failure))
service = serve(config).__enter__()
if gate:
    Path(gate).write_bytes(b"")
    service.wait()
"""

#: A program that a Ctrl-C ends while the end of its block waits for the drain.
INTERRUPTED = """
import atexit
from asking import asked
from interrupted_app import RELEASED
from sk_supervisor import serve

adapters = {"source": {"name": "numbers"}, "sink": {"name": "draft"}}
atexit.register(lambda: print(service.wait(0), service.failure))
with serve(asked(None, modules=["interrupted_app"], adapters=adapters)) as service:
    atexit.register(RELEASED.set)
"""


def ended(*arguments: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("profile", ["memory", "processes"])
def test_a_run_whose_block_is_never_left_is_drained_when_the_interpreter_ends(profile: str) -> None:
    done = ended(profile, "")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True None\n", "")


def test_the_failure_of_such_a_run_is_logged(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    done = ended("memory", str(gate))
    assert "no block was left to raise that: " in done.stderr
    assert "the input is gone" in done.stderr


def test_a_drain_whose_wait_is_interrupted_is_waited_for_when_the_interpreter_ends() -> None:
    done = ended(program=INTERRUPTED)
    assert "KeyboardInterrupt" in done.stderr
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "True None\n")
