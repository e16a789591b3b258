"""Requests beside whole jobs: a process of its own asks, and says what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROBE = Path(__file__).with_name("request_probe.py")


@dataclass(frozen=True)
class Asked:
    """What was measured of so many requests; the last figure with ``in_flight`` at any time."""

    requests: int
    in_flight: int
    workers: int
    median_ms: float
    p99_ms: float
    per_second: float


class ProbeFailedError(Exception):
    """The probe did not do its work."""


def ask(requests: int, timeout_seconds: float) -> Asked:
    """Run the probe.

    :raises ProbeFailedError: when it fails, or takes too long.
    """
    command = [sys.executable, str(PROBE), "--requests", str(requests)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_seconds, check=True
        )
        return Asked(**json.loads(done.stdout))
    except subprocess.CalledProcessError as error:
        raise ProbeFailedError(f"requests: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise ProbeFailedError(f"requests: not done in {timeout_seconds:.0f} s") from error
