"""The supervisor's one loop: each turn waits for what happens next, or for the next deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sk_kernel import EventRail

from sk_supervisor._lives.clock import LoopClock, wait_until
from sk_supervisor._lives.judge import Judge
from sk_supervisor._loop.loop_events import LoopEvent
from sk_supervisor._loop.mailbox import Mailbox


class Alarm(Protocol):
    """Something that the loop does at a time of its own."""

    def due(self) -> float | None:
        """When, on the loop's clock; None for not at all, as things are."""

    def ring(self, now: float) -> None:
        """It is due."""


class SupervisorLoop:
    """Turned by whoever waits for something: the one thread that starts and ends the workers.

    :param dispatch: handles one event.
    :param clock: that of every deadline; the loop leaves out of it the time in which this process
        was suspended.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        dispatch: Callable[[LoopEvent], None],
        judge: Judge,
        log: EventRail,
        clock: LoopClock,
        alarms: Sequence[Alarm] = (),
    ) -> None:
        self._mailbox, self._dispatch, self._judge = mailbox, dispatch, judge
        self._log, self._alarms, self._clock = log, alarms, clock

    def now(self) -> float:
        """The time of the clock of every deadline."""
        return self._clock.now()

    def step(self, deadline: float | None) -> None:
        """Turn once: wait for the next event, handle all that have come, then all that is due.

        Returns at the ``deadline`` (None: none), at a worker's or an alarm's, and about every
        second while a deadline is pending. Callers check what they wait for, then their deadline,
        and call again: whatever came in time has been handled before any deadline is compared.
        """
        began = self._clock.now()
        dues = [*self._judge.dues(), *([] if deadline is None else [deadline])]
        dues += [due for due in (alarm.due() for alarm in self._alarms) if due is not None]
        until = wait_until(began, dues)
        event = self._mailbox.take(None if until is None else until - began)
        if paused := self._clock.waited(began, until):
            self._log.emit("supervisor_paused", fields={"seconds": round(paused, 3)})
        if event is not None:
            self._dispatch(event)
        self.catch_up()
        now = self._clock.now()
        self._judge.heard(self._mailbox.heard, now)
        self._judge.judge(now)
        for alarm in self._alarms:
            when = alarm.due()
            if when is not None and when <= now:
                alarm.ring(now)

    def catch_up(self) -> None:
        """Handle what has come so far, without waiting; no deadline is compared."""
        for event in self._mailbox.take_all():
            self._dispatch(event)
