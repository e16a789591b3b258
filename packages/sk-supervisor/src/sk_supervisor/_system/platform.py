"""Where this package does not run, said before anything is imported that is not to be had there."""

from __future__ import annotations

import sys


def refusal(what: str) -> str:
    """Why ``what`` does not run on this platform; empty where it may."""
    if sys.platform != "win32":
        return ""
    return (
        f"{what} does not run on Windows, which lacks the signals and process groups of POSIX: "
        "use Linux, or WSL"
    )
