"""The supervisor's one loop: each turn waits for what happens next, or for the next deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from sk_kernel import EventRail

from sk_supervisor._lives.judge import Judge
from sk_supervisor._lives.pause import paused_seconds, wait_until
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

    ``paused`` is how many seconds this process was stopped (Ctrl-Z) during turns, all together.

    :param dispatch: takes in one event.
    :param clock: seconds; that of every deadline.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        dispatch: Callable[[LoopEvent], None],
        judge: Judge,
        log: EventRail,
        alarms: Sequence[Alarm] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mailbox, self._dispatch, self._judge = mailbox, dispatch, judge
        self._log, self._alarms, self._clock = log, alarms, clock
        self.paused = 0.0

    def step(self, deadline: float | None) -> None:
        """Turn once: wait for the next event, take it in, and see to all that is due.

        Returns at the ``deadline`` (None: none), at a worker's or an alarm's, and about every
        second while anybody's time is measured: callers look at what they wait for and come again.
        """
        began = self._clock()
        dues = [*self._judge.dues(), *([] if deadline is None else [deadline])]
        dues += [due for due in (alarm.due() for alarm in self._alarms) if due is not None]
        until = wait_until(began, dues)
        event = self._mailbox.take(None if until is None else until - began)
        woke = self._clock()
        if paused := paused_seconds(began, until, woke):
            self._forgive(paused, woke)
        if event is not None:
            self._dispatch(event)
        now = self._clock()
        self._judge.heard(self._mailbox.heard_at)
        self._judge.judge(now)
        for alarm in self._alarms:
            when = alarm.due()
            if when is not None and when <= now:
                alarm.ring(now)

    def catch_up(self) -> None:
        """Take in what has happened already, without waiting; nobody is judged."""
        while (event := self._mailbox.take(0.0)) is not None:
            self._dispatch(event)

    def _forgive(self, paused: float, now: float) -> None:
        """Nobody is to blame for the time in which this process was stopped."""
        self.paused += paused
        self._log.emit("supervisor_paused", fields={"seconds": round(paused, 3)})
        self._judge.forgive(paused, now)
