"""The supervisor's lifecycle steps as system nodes: each step is a span for the trace exporters.

The lifecycle events of the steps, emitted by the supervisor, have the same names. All steps of a
run form one trace, that of sequence number 0, which no record has. With a sampling ratio of 0 they
are not traced either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

from sk_kernel import LifecycleEvent, NodeObserver, NodeSpan
from sk_kernel.runtime import TraceIds, span_id
from sk_observability import EventName

#: The process group named in the spans of the steps.
GROUP: Final = "supervisor"
#: The trace's sequence number: records count from 1.
LIFECYCLE_SEQUENCE: Final = 0


class SystemNodes:
    """Times the steps, and passes the span of each to the observers when the step has ended.

    :param clock: returns nanoseconds since the epoch.
    """

    def __init__(
        self,
        run_id: str,
        observers: Sequence[NodeObserver],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._trace = TraceIds(run_id).of(LIFECYCLE_SEQUENCE)
        self._observers, self._clock = observers, clock

    @contextmanager
    def step(self, name: EventName) -> Iterator[None]:
        """Record the block as the step of this name."""
        began, error = self._clock(), None
        try:
            yield
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            self._tell(name, began, error)

    @contextmanager
    def steps(
        self, names: Collection[EventName], events: Callable[[], Sequence[LifecycleEvent]]
    ) -> Iterator[None]:
        """Record the steps, by their events, that one call inside the block takes.

        Each step lasts until the event of the next one. An error is that of the last step; if there
        was no such event, that of the first of ``names``.
        """
        called, error = self._clock(), None
        try:
            yield
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            taken = [(e.name, e.time_ns) for e in events() if e.name in names]
            taken = taken or [(str(next(iter(names))), called)]
            for (name, began), (_, ended) in pairwise(taken):
                self._tell(name, began, None, ended)
            self._tell(*taken[-1], error)

    def ended_by_force(self, events: Sequence[LifecycleEvent]) -> None:
        """Record the forced stop as a step, from its first event on, if there was one."""
        for event in events:
            if event.name == EventName.SUPERVISOR_FORCE_STOP:
                self._tell(EventName.SUPERVISOR_FORCE_STOP, event.time_ns, None)
                return

    def close(self) -> None:
        """Close the observers."""
        for observer in self._observers:
            observer.close()

    def _tell(self, name: str, began: int, error: str | None, ended: int | None = None) -> None:
        if not self._observers:
            return
        span = NodeSpan(
            trace_id=self._trace,
            span_id=span_id(self._trace, name, LIFECYCLE_SEQUENCE),
            parent_id=None,
            name=str(name),
            process_group=GROUP,
            route_hop=0,
            handoff_from=None,
            sequence=LIFECYCLE_SEQUENCE,
            start_ns=began,
            end_ns=max(began, self._clock() if ended is None else ended),
            error=error,
        )
        for observer in self._observers:
            observer.on_spans((span,))
