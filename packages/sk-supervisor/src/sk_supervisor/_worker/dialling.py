"""Dialling the supervisor again when it has dropped a connection for want of room."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_DIALS = 4
_PAUSE_SECONDS = 0.05

Dialled = TypeVar("Dialled")


def dialled(dial: Callable[[], Dialled], is_dropped: Callable[[Exception], bool]) -> Dialled:
    """Dial up to four times: in a flood of other connections a legitimate one may be dropped.

    :param is_dropped: whether to dial again after an error; any other one is raised at once.
    """
    for _ in range(_DIALS - 1):
        try:
            return dial()
        except Exception as error:
            if not is_dropped(error):
                raise
        time.sleep(_PAUSE_SECONDS)
    return dial()
