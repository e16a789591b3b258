"""A program of its own that measures something beside whole jobs, and says what as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


class ProbeFailedError(Exception):
    """The probe did not do its work."""


def told_by(program: Path, *arguments: str, what: str, timeout_seconds: float) -> Any:
    """Run it with this Python; give what it says.

    :raises ProbeFailedError: when it fails, or takes too long.
    """
    command = [sys.executable, str(program), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_seconds, check=True
        )
    except subprocess.CalledProcessError as error:
        raise ProbeFailedError(f"{what}: {error.stderr.strip()[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise ProbeFailedError(f"{what}: not done in {timeout_seconds:.0f} s") from error
    return json.loads(done.stdout)
