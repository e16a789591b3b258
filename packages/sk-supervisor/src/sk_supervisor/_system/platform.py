"""The check for an unsupported platform, made before any import that fails there."""

from __future__ import annotations

import sys


def refusal(what: str) -> str:
    """Return why ``what`` does not run on this platform; empty if it does."""
    if sys.platform != "win32":
        return ""
    return (
        f"{what} does not run on Windows, which lacks the signals and process groups of POSIX: "
        "use Linux, or WSL"
    )
