"""A worker that holds spans for more to come exports them when nothing comes."""

from __future__ import annotations

import queue
from typing import cast

from sk_supervisor._worker.inbox import GateOpened, Item, next_item
from sk_supervisor._worker.spans import WorkerSpans


class Holding:
    """Spans that are held until they are exported; then comes something to do."""

    def __init__(self, inbox: queue.SimpleQueue[Item]) -> None:
        self.held, self._inbox = True, inbox

    def export(self) -> None:
        self.held = False
        self._inbox.put(GateOpened())


def test_spans_are_exported_where_nothing_comes() -> None:
    inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
    holding = Holding(inbox)
    assert next_item(inbox.get, cast("WorkerSpans", holding)) == GateOpened()
    assert not holding.held


def test_spans_stay_held_where_there_is_work() -> None:
    inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
    inbox.put(GateOpened())
    holding = Holding(inbox)
    assert next_item(inbox.get, cast("WorkerSpans", holding)) == GateOpened()
    assert holding.held
