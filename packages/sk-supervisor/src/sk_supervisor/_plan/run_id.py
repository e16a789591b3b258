"""Run ids: generated, or given by the user and checked."""

from __future__ import annotations

import secrets
import time

from sk_kernel import Fault

from sk_supervisor.errors import RunRefusedError

_LENGTH = 256


def new_run_id() -> str:
    """Generate a run id that sorts by time: UTC to the second, and four random bytes."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"


def checked_run_id(run_id: str) -> str:
    """Return ``run_id`` if every message can carry it: 1 to 256 printable characters.

    :raises RunRefusedError: when it is anything else.
    """
    if 0 < len(run_id) <= _LENGTH and run_id.isprintable():
        return run_id
    expected = f"1 to {_LENGTH} printable characters"
    raise RunRefusedError([Fault("run_id", "bad_value", expected)])
