"""SIGINT, SIGTERM and SIGHUP while a run is under way: handlers only pass the word on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from sk_supervisor._system.exit import exits_are_lost
from sk_supervisor._system.forked import keep_from_children, no_more_ours

if TYPE_CHECKING:
    from sk_supervisor._system.last_resort import LastResort

HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A signal within so many seconds of another is the same word said twice: ``timeout(1)`` signals
#: its child and then its whole group, of which the child is one; a terminal and a shell do alike,
#: and systemd follows its SIGTERM at once by a SIGHUP (``SendSIGHUP=``).
ECHO_SECONDS: Final = 0.1


class ReceivedSignals:
    """The signals that came, without the echoes. Pure: the clock's time comes in.

    While ``breaks_in`` is true, a forcing one raises :class:`ForcedStop` and makes it false.
    """

    def __init__(self, *, breaks_in: bool = False) -> None:
        self.numbers: list[signal.Signals] = []
        self.breaks_in = breaks_in
        self._last: float | None = None

    def counts(self, number: int, now: float) -> bool:
        """Whether this is a word of its own, and no echo of the last one; noted if it is.

        An echo is whatever comes so soon behind what came last, so that a stream is one word.
        """
        last, self._last = self._last, now
        if last is not None and now - last < ECHO_SECONDS:
            return False
        self.numbers.append(signal.Signals(number))
        return True

    @property
    def force(self) -> bool:
        """Whether the last one means force: who signals a second time does."""
        return len(self.numbers) > 1


def ignored_from_above(number: signal.Signals) -> bool:
    """Whether this process was started so that it ignores a SIGHUP, as ``nohup`` does."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def without_signals() -> Iterator[None]:
    """Keep the handled signals from whatever thread or process is started inside the block.

    A thread of ours that took one would not wake the main thread, which alone runs handlers and
    may be deep in a system call. A worker unblocks them behind its own handlers: a service manager
    signals every process of a service, and one in its first moments would just die of it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ForcedStop(KeyboardInterrupt):
    """A second signal came while this process itself does the work, or what is behind it."""


def is_from_outside(error: BaseException) -> bool:
    """Whether a signal was behind an error, and not application code that raised it.

    That may be a Ctrl-C where nobody handles it. Application code may raise a KeyboardInterrupt
    just the same, or call ``sys.exit()``.
    """
    unhandled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    pressed = unhandled and threading.current_thread() is threading.main_thread()
    return isinstance(error, ForcedStop) or (isinstance(error, KeyboardInterrupt) and pressed)


class BreakIn:
    """Raises an error in the main thread, from another one, while it does the work.

    :param resort: what is left where that does not help.
    """

    def __init__(self, resort: LastResort | None = None) -> None:
        self.resort = resort
        self._lock = threading.Lock()
        self._armed = False
        self._asked: Callable[[], None] | None = None

    def __call__(self, leave: Callable[[], None] | None = None) -> None:
        """Raise :class:`ForcedStop` there, once, while it is armed; else nothing.

        Any thread but the main one. With ``leave`` that is called there instead, and may raise.
        """
        if leave is None and self.resort is not None and not self.resort.again():
            self.resort.forced()
        with self._lock:
            main, under_way = threading.main_thread().ident, self._asked
            if self._armed and main is not None and under_way != self._end:
                self._asked = leave or self._end
                if under_way is None:
                    signal.pthread_kill(main, signal.SIGTERM)

    def arm(self) -> None:
        """In the main thread: from now on it may be raised."""
        self._armed = True

    def disarm(self) -> None:
        """In the main thread: it is raised no more, and no signal for it is under way."""
        self._armed = False
        with self._lock:
            pass

    def heard(self) -> bool:
        """In the handler: whether the signal was this one's.

        :raises BaseException: when it was, and in time: what it was to raise.
        """
        asked, self._asked = self._asked, None
        if asked is not None and self._armed:
            asked()
        return asked is not None

    def _end(self) -> None:
        self._armed = False
        raise ForcedStop


@runtime_checkable
class TakesBreakIn(Protocol):
    """A supervisor whose work is in the main thread, and can be broken into there."""

    def take_break_in(self, break_in: BreakIn) -> None:
        """Have the way to do so, before anything is started."""


@contextmanager
def signals_to(
    request_stop: Callable[[str, bool], object], *, force: bool, break_in: BreakIn | None = None
) -> Iterator[ReceivedSignals]:
    """Request a stop at each signal inside the block, by force from the second on.

    Gives the signals that came.

    A SIGHUP that is ignored already (``nohup``) stays ignored; an echo is left out.

    Outside the main thread, where Python allows no handlers, nothing is handled. Nor is a signal
    whose handler an embedding program (uWSGI, a JVM) installed: Python could not put it back.

    :param request_stop: gets the signal's name, and whether it means force; called in the handler,
        so that it may only pass the word on.
    :param force: whether the second signal raises :class:`ForcedStop` in the main thread; the
        caller may say otherwise later, by ``breaks_in`` of what is given.
    :param break_in: may raise it as well, with ``force``, until it is disarmed. Its last resort is
        told of each force, and of a signal behind one: with none that leaves the process, signals
        do from then on what they did before.

    An inherited deafness to SIGCHLD, which would hide how workers end, is lifted meanwhile.
    """
    break_in = break_in or BreakIn()
    resort = break_in.resort
    received = ReceivedSignals(breaks_in=force)
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def handle(number: int, _: FrameType | None) -> None:
        if break_in.heard():
            return
        if not received.counts(number, time.monotonic()):
            return
        request_stop(signal.Signals(number).name, received.force)
        # Never a third time, in the midst of cleaning up behind the second.
        if received.breaks_in and received.force:
            received.breaks_in = False
            if resort is not None:
                resort.forced()
            raise ForcedStop
        if resort is not None and resort.again() and not resort.leaves:
            hand_back()
            signal.raise_signal(number)

    def hand_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    ours = [number for number in HANDLED if signal.getsignal(number) is not None]
    wanted = [number for number in ours if not ignored_from_above(number)]
    keep_from_children(handle)
    before = {number: signal.signal(number, handle) for number in wanted}
    if exits_are_lost():
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if force:
        break_in.arm()
    try:
        yield received
    finally:
        break_in.disarm()
        hand_back()
        no_more_ours(handle)
