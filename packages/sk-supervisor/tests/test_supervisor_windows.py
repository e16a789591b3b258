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
WORD = (
    "does not run on Windows, which lacks the signals and process groups of POSIX: "
    "use Linux, or WSL"
)


def on_windows(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WINDOWS + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "entered",
    [
        'runpy.run_module("sk_supervisor", run_name="__main__", alter_sys=True)',
        "from sk_supervisor.__main__ import main; main()",
    ],
    ids=["python -m", "the installed script"],
)
def test_the_command_is_refused_in_one_line(entered: str) -> None:
    done = on_windows(f'sys.argv = ["sk", "run", "pipeline.yaml"]; {entered}')
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: sk {WORD}\n")


def test_a_program_that_imports_a_name_of_the_package_is_refused_with_the_same_word() -> None:
    done = on_windows("from sk_supervisor import run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"ImportError: sk_supervisor {WORD}"
