"""Run `python -m sk_fundload` in this process, and write down how much memory that took.

python e2e_measured.py FILE ARGUMENTS...
"""

from __future__ import annotations

import json
import resource
import runpy
import sys
from pathlib import Path

import psutil
from e2e_run import peak_mib

# The system counts in KiB, but for macOS, where it counts in bytes.
_UNIT = 2**20 if sys.platform == "darwin" else 2**10


def main() -> None:
    """Run, and write `{"own_mib": ..., "largest_child_mib": ...}` to the file."""
    facts = Path(sys.argv.pop(1))
    try:
        runpy.run_module("sk_fundload", run_name="__main__", alter_sys=True)
    finally:
        # Not this process's own ru_maxrss: it begins with what the process that started it held.
        own = peak_mib(psutil.Process())
        largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / _UNIT
        facts.write_text(json.dumps({"own_mib": own, "largest_child_mib": largest_child}))


if __name__ == "__main__":
    main()
