"""The step of a unit in a run that is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sk_kernel._batch.flow import Flow
from sk_kernel._calls.calls import NodeCall
from sk_kernel._measure.stopwatch import Stopwatch
from sk_kernel._run.steps import Step


class TimedStep:
    """The nodes of a unit, timed as a whole and, within that, each by itself.

    :param calls: the calls of the nodes, by name; several of them are each timed from now on.
    :param build: creates the step from them.
    """

    def __init__(
        self, stopwatch: Stopwatch, calls: Mapping[str, NodeCall], build: Callable[[], Step]
    ) -> None:
        stage = " + ".join(calls)
        if len(calls) > 1:
            for name, call in calls.items():
                # Before the step is built, since that may compile the calls into one loop.
                method = "call" if call.plain else "one"
                setattr(call, method, stopwatch.part(stage, name, getattr(call, method)))
        self._run = stopwatch.timed(stage, build().run)

    def run(self, flow: Flow) -> None:
        """See the protocol."""
        self._run(flow)
