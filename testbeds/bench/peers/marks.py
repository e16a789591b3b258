"""The two moments that a steady state lies between, told by whichever process sees them.

They go to the file that ``FUND_LOAD_MARKS`` names, a line of JSON each; without it nowhere. The
monotonic clock is one for all processes of a machine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping

VARIABLE = "FUND_LOAD_MARKS"


def first_record() -> None:
    """Say that every part is up, and that the first record is about to be read."""
    _mark("first_record")


def last_byte(reasons: Mapping[str, int]) -> None:
    """Say that the last byte is written, and how many records had which reason."""
    _mark("last_byte", reasons=dict(reasons))


def _mark(name: str, **more: object) -> None:
    at = time.monotonic()
    path = os.environ.get(VARIABLE)
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"mark": name, "at": at, **more}) + "\n")
