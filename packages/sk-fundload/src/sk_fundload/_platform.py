"""Where the command does not run, said before anything is imported that is not to be had there."""

from __future__ import annotations

import sys


def refusal() -> str:
    """Why it does not run on this platform; empty where it may."""
    if sys.platform != "win32":
        return ""
    return (
        "sk-fundload does not run on Windows, which lacks the signals of POSIX: use Linux, or WSL"
    )
