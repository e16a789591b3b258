"""The bounded queue of lines between the exporting and the writing thread, with stall detection."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from sk_observability._exporting.account import Account
from sk_observability._exporting.reasons import CLOSED, QUEUE_FULL, SHUTDOWN_TIMEOUT, STALLED

_MOST_HELD: Final = 4 * 1024 * 1024
_PATIENT_AGAIN: Final = _MOST_HELD // 2
"""After a stall, callers wait for room again when at most this much is held. Not sooner: for a
file that accepts a few bytes now and then they would wait again and again."""
_ENOUGH: Final = 1024 * 1024
_LOOKS: Final = 10
"""How many times per stall timeout a waiting thread checks for progress."""
_LOOKS_IN_VAIN: Final = 1.5
"""A stall needs more than this many check intervals without progress, too: after a suspension of
the process, the clock alone would report a stall."""
_ONE_TURN: Final = 0.05
"""The seconds that the writer has at the end even if no time is left: a working file then takes
the last lines, and the writer notifies the waiting thread."""


class LineLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a `LineQueue`: delays in seconds, and whether callers wait for room (`waits`).

    `delay_seconds` is how long lines are collected before they are written, `stall_seconds` how
    long a file may make no progress, and `close_seconds` bounds the time to finish and close.
    """

    waits: bool = True
    delay_seconds: float = 0.0
    stall_seconds: float = 1.0
    close_seconds: float = 5.0


class Lines(NamedTuple):
    """Encoded lines that are written together, and their number."""

    data: bytes
    number: int


_NONE: Final = Lines(b"", 0)


class LineQueue:
    """Holds about 4 MiB of lines (a batch is taken whole), and keeps the account of their outcome.

    One thread puts lines in and closes the queue, another one takes them out.
    """

    def __init__(self, limits: LineLimits) -> None:
        self.account = Account()
        self._limits = limits
        self._held: deque[Lines] = deque()
        self._bytes = 0  # held
        self._writing, self._sent = _NONE, 0  # lines taken last, and how many bytes are written
        self._owed = 0  # number of lines that are neither sent nor lost
        self._steps, self._stalled = 0, False
        self._moved = 0.0  # time of the writer's last progress
        self._is_patient = limits.waits
        self._finish_by, self._latest, self._at_least = math.inf, math.inf, -math.inf
        self._given_up = False
        self._changed = threading.Condition()

    def wait_for_room(self) -> str | None:
        """Wait for room as long as lines are written; return None, or the reason for no room.

        Does not wait if the limits forbid it, nor after a stall until half of the room is free.
        """
        with self._changed:
            if self._is_patient:
                self._goes_on_until(lambda: self.is_finishing or self._has_room())
                self._is_patient = not self._stalled
            if self.is_finishing:
                return CLOSED
            if self._has_room():
                return None
            return STALLED if self._limits.waits else QUEUE_FULL

    def put(self, lines: Lines) -> bool:
        """Queue lines for the writer; return False if the queue is already finishing."""
        with self._changed:
            if self.is_finishing:
                return False
            before = self._bytes
            if not self._owed:
                self._moved = time.monotonic()
            self._bytes += len(lines.data)
            self._owed += lines.number
            self._held.append(lines)  # last: lines lost to an interrupt here are already owed
            if not before or before < _ENOUGH <= self._bytes:
                self._changed.notify_all()
            return True

    def take(self) -> Lines | None:
        """Wait for lines to write; return None if no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._held or self.is_finishing)
            self._changed.wait_for(
                lambda: self.is_finishing or self._bytes >= _ENOUGH, self._limits.delay_seconds
            )
            taken = self._together()
            self._writing, self._sent, self._moved = taken or _NONE, 0, time.monotonic()
            return taken

    def went(self, sent: int) -> bool:
        """Record how many bytes of the taken lines are written; return False after `close`."""
        with self._changed:
            if sent != self._sent:
                self._sent = sent
                self._step()
            return not self._given_up

    def settle(self, reason: str | None = None) -> None:
        """Record that the taken lines are written, or why the unwritten ones are lost."""
        with self._changed:
            if self._given_up:
                return
            number = self._writing.number
            whole = number if reason is None else self._whole()
            self.account.sent(whole)
            if reason is not None:
                self.account.lost(number - whole, reason)
            self._owed -= number
            self._writing, self._sent = _NONE, 0
            self._step()

    def close_within(self, seconds: float) -> None:
        """Bound the time to write the remaining lines, from now on."""
        with self._changed:
            self._latest = min(self._latest, time.monotonic() + seconds)

    def finish(self) -> None:
        """Accept no more lines, and let the writer take the held ones without delay."""
        with self._changed:
            if not self.is_finishing:
                self._moved = time.monotonic()
                self._finish_by = self._moved + self._limits.close_seconds
                self._at_least = self._moved + _ONE_TURN
                self._changed.notify_all()

    def close(self) -> bool:
        """Wait while lines are written and time is left; return whether none was lost."""
        with self._changed:
            try:
                return self._goes_on_until(lambda: not self._owed)
            finally:  # also if an interrupt ends the wait
                self._give_up(STALLED if self._stalled else SHUTDOWN_TIMEOUT)

    @property
    def is_finishing(self) -> bool:
        """Whether no more lines are accepted."""
        return self._finish_by < math.inf

    @property
    def seconds_left(self) -> float:
        """The time left for the remaining lines; for 50 ms after `finish` there is always some."""
        end = max(min(self._finish_by, self._latest), self._at_least)
        return max(0.0, end - time.monotonic())

    @property
    def _unwritten(self) -> int:
        return self._bytes + len(self._writing.data) - self._sent

    def _has_room(self) -> bool:
        return self._unwritten < _MOST_HELD

    def _goes_on_until(self, done: Callable[[], bool]) -> bool:
        look, waited = self._limits.stall_seconds / _LOOKS, 0.0
        while not done():
            if self._stalled or not (left := self.seconds_left):
                return False
            steps, began = self._steps, time.monotonic()
            self._changed.wait(min(look, left))
            now = time.monotonic()
            waited = waited + min(look, now - began) if steps == self._steps else 0.0
            stands = now - self._moved >= self._limits.stall_seconds
            self._stalled = stands and waited > look * _LOOKS_IN_VAIN
        return True

    def _together(self) -> Lines | None:
        if not self._held:
            return None
        some = [self._held.popleft()]
        size = len(some[0].data)
        while self._held and size + len(self._held[0].data) <= _ENOUGH:
            some.append(self._held.popleft())
            size += len(some[-1].data)
        self._bytes -= size
        return Lines(b"".join(one.data for one in some), sum(one.number for one in some))

    def _step(self) -> None:
        self._steps += 1
        self._stalled, self._moved = False, time.monotonic()
        if self._unwritten <= _PATIENT_AGAIN:
            self._is_patient = self._limits.waits
        self._changed.notify_all()

    def _whole(self) -> int:
        return self._writing.data.count(b"\n", 0, self._sent)

    def _give_up(self, reason: str) -> None:
        self._given_up = True
        whole = self._whole()
        self.account.sent(whole)
        self.account.lost(self._owed - whole, reason)
        self._owed, self._bytes, self._writing = 0, 0, _NONE
        self._held.clear()
