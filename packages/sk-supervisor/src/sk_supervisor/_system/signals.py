"""SIGINT, SIGTERM and SIGHUP during a run: the handlers only pass the request on."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from sk_supervisor._system.exit import exits_are_lost
from sk_supervisor._system.forked import allow_in_children, keep_from_children

if TYPE_CHECKING:
    from sk_supervisor._system.last_resort import LastResort

HANDLED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: A signal within this time after another is a repetition of the same request: ``timeout(1)``
#: signals its child and then its whole group, which the child belongs to; a terminal and a shell do
#: the same; systemd sends a SIGHUP right after its SIGTERM (``SendSIGHUP=``).
ECHO_SECONDS: Final = 0.1


class ReceivedSignals:
    """The signals that came, without repetitions. Pure: the time is passed in.

    While ``breaks_in`` is true, a signal that means force raises :class:`ForcedStop` and sets it to
    false.
    """

    def __init__(self, *, breaks_in: bool = False) -> None:
        self.numbers: list[signal.Signals] = []
        self.breaks_in = breaks_in
        self._last: float | None = None

    def counts(self, number: int, now: float) -> bool:
        """Note a signal; return whether it is a new request, and no repetition of the last one.

        The time is measured from the last signal, repetition or not: so a series is one request.
        """
        last, self._last = self._last, now
        if last is not None and now - last < ECHO_SECONDS:
            return False
        self.numbers.append(signal.Signals(number))
        return True

    @property
    def force(self) -> bool:
        """Whether the last request means force: every one after the first does."""
        return len(self.numbers) > 1


def ignored_from_above(number: signal.Signals) -> bool:
    """Whether this process was started so that it ignores SIGHUP, as by ``nohup``."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def without_signals() -> Iterator[None]:
    """Block the handled signals in every thread or process that is started inside the block.

    A signal that one of our threads took would not wake the main thread, which alone runs handlers
    and may be in a long system call. A worker unblocks the signals after it has installed its
    handlers: a service manager signals every process of a service, and a worker that has just been
    started would be ended by that.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ForcedStop(KeyboardInterrupt):
    """A second signal came while this process itself does the work, or finishes it."""


def is_from_outside(error: BaseException) -> bool:
    """Whether an error was caused by a signal, and not raised by application code.

    The signal may be a Ctrl-C that nothing handles. Application code may raise a KeyboardInterrupt,
    too, or call ``sys.exit()``.
    """
    unhandled = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    pressed = unhandled and threading.current_thread() is threading.main_thread()
    return isinstance(error, ForcedStop) or (isinstance(error, KeyboardInterrupt) and pressed)


class BreakIn:
    """Raises an error in the main thread while that does the work, from another thread.

    :param resort: the last resort if that does not help.
    """

    def __init__(self, resort: LastResort | None = None) -> None:
        self.resort = resort
        self._lock = threading.Lock()
        self._armed = False
        self._asked: Callable[[], None] | None = None

    def __call__(self, leave: Callable[[], None] | None = None) -> None:
        """Raise :class:`ForcedStop` in the main thread, once, if it is armed; otherwise do nothing.

        Any thread but the main one. If ``leave`` is given, it is called there instead, and may
        raise.
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
        """Allow it to raise from now on. Called in the main thread."""
        self._armed = True

    def disarm(self) -> None:
        """Prevent it from raising; leave none of its signals pending. Called in the main thread."""
        self._armed = False
        with self._lock:
            pass

    def heard(self) -> bool:
        """Return whether a signal was sent by this object. Called in the handler.

        :raises BaseException: the error to raise, if it was and this is armed.
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
    """A supervisor whose work is done in the main thread, and can be interrupted there."""

    def take_break_in(self, break_in: BreakIn) -> None:
        """Set the object that can interrupt the work, before anything is started."""


@contextmanager
def signals_to(
    request_stop: Callable[[str, bool], object], *, force: bool, break_in: BreakIn | None = None
) -> Iterator[ReceivedSignals]:
    """Request a stop at each signal inside the block, by force from the second one on.

    Yields the signals that came, without repetitions. An ignored SIGHUP (``nohup``) stays ignored.
    Outside the main thread, where Python allows no handlers, no signal is handled. Nor is one whose
    handler an embedding program (uWSGI, a JVM) has installed: Python could not restore it.

    :param request_stop: is called in the handler with the signal's name, and whether it means
        force; it must only pass the request on.
    :param force: whether the second signal raises :class:`ForcedStop` in the main thread; the
        caller may change that later, by ``breaks_in`` of the yielded object.
    :param break_in: may raise it as well, with ``force``, until it is disarmed. Its last resort is
        notified of each forced stop, and of a signal after one; if it cannot exit the process,
        signals have from then on the effect that they had before the run.

    If SIGCHLD is ignored, which would hide how workers end, its default is set meanwhile.
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
        # Only once: the next signal must not interrupt the cleanup after this one.
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
        allow_in_children(handle)
