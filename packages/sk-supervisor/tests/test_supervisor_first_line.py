"""``sk`` is ended quietly, and with the code that says by what, before it comes to anything."""

from __future__ import annotations

import subprocess
import sys

#: Runs ``sk check`` several times, and signals it where it begins to import a certain module.
SIGNALLED = """
import os, runpy, signal, sys

class Signalled:
    def __init__(self, module, number):
        self.module, self.number = module, number

    def find_spec(self, name, path=None, target=None):
        if name == self.module:
            signal.raise_signal(self.number)

for module, number in (
    ("sk_supervisor.cli", signal.SIGINT),
    ("sk_supervisor.cli", signal.SIGTERM),
    ("sk_supervisor.cli", signal.SIGHUP),
    ("sk_config", signal.SIGINT),
):
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        sys.meta_path.insert(0, Signalled(module, number))
        sys.argv = ["sk", "check", "nothing.yaml"]
        runpy.run_module("sk_supervisor", run_name="__main__", alter_sys=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def test_a_signal_ends_it_from_its_first_line_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALLED], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["130", "143", "129", "130"], "")
