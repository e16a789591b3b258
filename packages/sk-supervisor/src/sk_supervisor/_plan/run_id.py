"""The name of a run: made where none is given, and checked where one is."""

from __future__ import annotations

import secrets
import time

from sk_kernel import Fault

from sk_supervisor.errors import RunRefusedError

_LENGTH = 256


def new_run_id() -> str:
    """A run id that sorts by time: UTC to the second, and four random bytes."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"


def checked_run_id(run_id: str) -> str:
    """``run_id``, which must be a name that every message can carry.

    :raises RunRefusedError: when it is not.
    """
    if 0 < len(run_id) <= _LENGTH and run_id.isprintable():
        return run_id
    expected = f"1 to {_LENGTH} printable characters"
    raise RunRefusedError([Fault("run_id", "bad_value", expected)])
