"""Send to receivers that no one here wrote: OTLP servers, a legacy tracer, Prometheus.

    python testbeds/receivers/run_receivers.py --environments DIR [PYTEST ARGUMENTS]

Installs the receivers into DIR, where they are not there yet, and runs the tests that are marked
`receivers`, which start and stop them. The exit code is pytest's; 2 where something is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from receivers_installed import VARIABLE, AbsentError, install, versions


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="Spans to receivers that no one here wrote.")
    parser.add_argument("--environments", type=Path, required=True, help="where to install")
    options, others = parser.parse_known_args(arguments)
    folder = options.environments.resolve()
    try:
        install(folder)
    except (AbsentError, OSError) as fault:
        sys.stderr.write(f"receivers: {fault}\n")
        return 2
    found = ", ".join(f"{name} {version}" for name, version in versions(folder).items())
    sys.stdout.write(f"receivers: {found}\n")
    sys.stdout.flush()
    # Of the tests' own patience, and not of a thread dump, a test is to be over.
    command = [sys.executable, "-m", "pytest", "-m", "receivers", "--durations=0"]
    command += ["-o", "faulthandler_timeout=900", *others]
    return subprocess.run(
        command, env={**os.environ, VARIABLE: str(folder)}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
