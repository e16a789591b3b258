"""The supervisor's only loop: each turn waits for the next event or the next deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sk_kernel import EventRail

from sk_supervisor._lives.clock import LoopClock, wait_until
from sk_supervisor._lives.judge import Judge
from sk_supervisor._loop.loop_events import LoopEvent
from sk_supervisor._loop.mailbox import Mailbox


class Alarm(Protocol):
    """A part of the supervisor that the loop calls at a certain time."""

    def due(self) -> float | None:
        """When to call :meth:`ring`, on the loop's clock; None for not at all at present."""

    def ring(self, now: float) -> None:
        """Handle the alarm."""


class SupervisorLoop:
    """Turned by the methods that wait, in the one thread that starts and ends the workers.

    :param dispatch: handles one event.
    :param clock: that of every deadline; the loop leaves out of it the time in which this process
        was suspended.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        dispatch: Callable[[LoopEvent], None],
        *,
        judge: Judge,
        log: EventRail,
        clock: LoopClock,
        alarms: Sequence[Alarm] = (),
    ) -> None:
        self._mailbox, self._dispatch, self._judge = mailbox, dispatch, judge
        self._log, self._alarms, self._clock = log, alarms, clock

    def now(self) -> float:
        """Return the time of the clock of every deadline."""
        return self._clock.now()

    def step(self, deadline: float | None) -> None:
        """Turn once: wait for the next event, handle all that have come, then all that is due.

        Returns at the ``deadline`` (None for none), at that of a worker or an alarm, and about
        every second while a deadline is pending. Callers check their condition, then their
        deadline, and call again: so events that came in time are handled before any deadline is
        checked.
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
        """Handle the events that have come so far, without waiting; check no deadline."""
        for event in self._mailbox.take_all():
            self._dispatch(event)
