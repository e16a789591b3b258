"""The check of the platform, made before any import that fails on an unsupported one."""

from __future__ import annotations

import sys


def refusal() -> str:
    """Return why the command does not run on this platform; empty if it does."""
    if sys.platform != "win32":
        return ""
    return (
        "sk-fundload does not run on Windows, which lacks the signals of POSIX: use Linux, or WSL"
    )
