"""On Windows, which is not supported, that is what one is told, and not what is missing there."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: As a process of Windows sees itself, as far as its imports can tell: it has neither these modules
#: nor any signal that Windows does not have.
WINDOWS = """
import os, runpy, signal, sys
for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None
for name in [n for n in vars(signal) if n.startswith("SIG") and n not in ("SIGINT", "SIGTERM")]:
    delattr(signal, name)
del signal.pthread_sigmask, os.killpg, os.fork, os.getuid
sys.platform = "win32"
"""


@pytest.mark.parametrize(
    "entered",
    [
        'runpy.run_module("sk_fundload", run_name="__main__", alter_sys=True)',
        "from sk_fundload.__main__ import main; main()",
    ],
    ids=["python -m", "the installed script"],
)
def test_the_command_is_refused_in_one_line(entered: str) -> None:
    code = f'{WINDOWS}sys.argv = ["sk-fundload", "run"]; {entered}'
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    word = "does not run on Windows, which lacks the signals of POSIX: use Linux, or WSL"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: sk-fundload {word}\n")
