"""What is remembered about customers: small records that the garbage collector skips.

Long-lived state is what a tracing collector pays for again and again. These records hold integers,
never a way back to themselves, so `gc=False` is safe, and a dictionary of them is not tracked
either.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class DayWindow(Struct, gc=False):
    """One customer's UTC day: canonical attempts, and cents (effective) of the accepted ones."""

    attempts: int = 0
    accepted: int = 0


NO_DAY: Final = DayWindow()
"""Stands for a day without attempts. Nothing writes to it."""
