"""The word by which a process that waits for it hears which worker it is."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any, BinaryIO


def called(pipe: BinaryIO, marks: dict[str, int]) -> dict[str, Any]:
    """What the supervisor says this worker is, as soon as it does."""
    with pipe:
        word = pipe.read()
    if not word.endswith(b"\n"):
        with contextlib.suppress(OSError):  # where nobody reads it either
            os.write(2, b"let go of before it was told which worker it is: leaving\n")
        os._exit(1)
    told: dict[str, Any] = json.loads(word)
    told["marks"] = {"spawned": told.pop("spawned"), **marks, "called": time.time_ns()}
    return told
