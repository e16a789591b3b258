"""Four bare Python processes with the imports of our workers, side by side, to their end.

    python spawn_probe.py

What a start of four workers costs at the least: nothing is connected, told or run.
"""

from __future__ import annotations

import subprocess
import sys

PROCESSES = 4
CHILD = "import sk_fundload.adapters, sk_fundload.nodes, sk_supervisor._worker.main"


def main() -> int:
    """Start all, then wait for all."""
    started = [subprocess.Popen([sys.executable, "-c", CHILD]) for _ in range(PROCESSES)]
    return max(process.wait() for process in started)


if __name__ == "__main__":
    sys.exit(main())
