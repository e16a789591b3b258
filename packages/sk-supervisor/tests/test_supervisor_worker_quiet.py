"""A worker that holds spans for more to come exports them when nothing comes."""

from __future__ import annotations

import queue

from sk_supervisor._worker.inbox import GateOpened, Item, next_item


class Holding:
    """Spans that are held until they are exported; then comes something to do."""

    def __init__(self, inbox: queue.SimpleQueue[Item]) -> None:
        self.holds_spans, self._inbox = True, inbox

    def export(self) -> None:
        self.holds_spans = False
        self._inbox.put(GateOpened())


def test_spans_are_exported_where_nothing_comes() -> None:
    inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
    holding = Holding(inbox)
    assert next_item(inbox.get, holding) == GateOpened()
    assert not holding.holds_spans


def test_spans_stay_held_where_there_is_work() -> None:
    inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
    inbox.put(GateOpened())
    holding = Holding(inbox)
    assert next_item(inbox.get, holding) == GateOpened()
    assert holding.holds_spans
