"""The garbage collector while a program builds what it keeps for all its life."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

#: Python 3.12 begins with so many objects frozen: more than these, and somebody else froze some.
_BORN_FROZEN: Final = gc.get_freeze_count() if sys.version_info[:2] == (3, 12) else 0


@contextmanager
def built_for_good() -> Iterator[Callable[[], None]]:
    """Keep the garbage collector off while something is built, and then from looking through it.

    Gives the function to call when all is built. Modules, classes and plans are no garbage, and a
    collector that looks through them again and again costs a start a tenth of its time. Behind the
    block the collector is as it was before; where it was off it stays off.
    """
    if not gc.isenabled():
        yield _nothing
        return
    outermost = gc.get_freeze_count() <= _BORN_FROZEN
    gc.disable()
    try:
        yield _complete
    finally:
        gc.enable()
        if outermost:
            gc.unfreeze()


def _complete() -> None:
    gc.freeze()
    gc.enable()


def _nothing() -> None:
    """Where the collector was off nothing turns it on."""
