"""Running requests through one segment: those that arrive together as one batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from sk_kernel._batch.batch import Column, Section
from sk_kernel._batch.request_batch import RequestBatch
from sk_kernel._graph.graph import SINK, Edge
from sk_kernel._graph.plan import ExecutionPlan, Segment
from sk_kernel._record.envelope import Correlation, Key, root_of
from sk_kernel._requests.outcomes import Leaving, Outcomes, outcomes_of
from sk_kernel._requests.visit import Answer, Visit
from sk_kernel._run.segment import SegmentRunner
from sk_kernel.errors import RequestExpiredError, RunError


class RequestRunner:
    """Runs the records of requests in one segment, in the thread of the segment's batches.

    A record for the sink is a reply, whichever segment the sink is in: it goes to the caller
    instead.

    ``on_failed`` is called, in that thread, with the error of each request that has failed here.
    """

    def __init__(self, plan: ExecutionPlan, segment: Segment, runner: SegmentRunner) -> None:
        self._runner, self.manner = runner, runner.manner
        self.on_failed: Callable[[RunError], object] | None = None
        #: The batches that are running, by their ``id()``: several if requests overlap.
        self._under_way: dict[int, RequestBatch] = {}
        self._expired = False
        segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        #: The edges to other segments, by producer, class of payload and segment.
        self._edges: dict[tuple[str, type, int], list[Edge]] = {}
        for edge in plan.graph.edges:
            if edge.producer in segment.vertices and edge.consumer not in segment.vertices:
                way = edge.producer, edge.payload.cls, segment_of[edge.consumer]
                self._edges.setdefault(way, []).append(edge)

    def run(self, visits: Sequence[Visit]) -> Outcomes:
        """Run records of any number of requests that have arrived at this segment together.

        They pass it as a batch does: node by node, in the order of their keys, which is the order
        of the requests. If a node raises on a record, or returns a payload that it does not
        declare, that record's request fails, and none of its records is run any further. This
        includes exceptions that would end the process (``sys.exit``). A request whose time is over
        is not run, and a coroutine whose request runs out of time is cancelled
        (:class:`RequestExpiredError`).

        :raises DeadLetterError: when a dead letter cannot be written.
        """
        in_time, answers = self._in_time(visits)
        if not in_time:
            return Outcomes(answers, {})
        batch, requests, columns = _gathered(in_time)
        with self._known(batch):
            replies, departures = self._runner.answer(batch, columns)
        return self._outcomes(answers, batch, requests, replies, departures)

    async def overlap(self, visits: Sequence[Visit]) -> Outcomes:
        """Do as :meth:`run` while other requests run; only if :attr:`manner` is overlapping.

        :raises DeadLetterError: when a dead letter cannot be written.
        """
        in_time, answers = self._in_time(visits)
        if not in_time:
            return Outcomes(answers, {})
        batch, requests, columns = _gathered(in_time)
        with self._known(batch):
            replies, departures = await self._runner.overlap(batch, columns)
        return self._outcomes(answers, batch, requests, replies, departures)

    def _outcomes(
        self,
        answers: list[Answer],
        batch: RequestBatch,
        requests: dict[int, Visit],
        replies: Iterable[Column],
        departures: Mapping[int, Iterable[Section]],
    ) -> Outcomes:
        leaving = [Leaving(0, None, edge.producer, keys, items) for edge, keys, items in replies]
        for segment, sections in departures.items():
            leaving += self._leaving(batch, segment, sections)
        ended, onward = outcomes_of(batch, requests, leaving)
        if batch.failed and self.on_failed is not None:
            for error in batch.failed.values():
                self.on_failed(error)
        return Outcomes(answers + ended, onward)

    @staticmethod
    def late(visits: Iterable[Visit]) -> list[Answer]:
        """Return the failures of visits that are not run, since nobody waits for their result."""
        late = RequestExpiredError.__name__
        return [Answer(v.request, v.weight, node=v.edge.consumer, cause_type=late) for v in visits]

    def expire(self) -> None:
        """End all requests here, present and future, as if their time were over. Any thread.

        A coroutine that waits for one is cancelled, once; requests that arrive later are not run.
        """
        self._expired = True
        for batch in tuple(self._under_way.values()):
            batch.expire()

    def _in_time(self, visits: Sequence[Visit]) -> tuple[Sequence[Visit], list[Answer]]:
        """Return (the visits that somebody still waits for, the failures of the others)."""
        now = math.inf if self._expired else time.monotonic()
        if all(visit.due > now for visit in visits):
            return visits, []
        in_time = [visit for visit in visits if visit.due > now]
        return in_time, self.late(visit for visit in visits if visit.due <= now)

    @contextmanager
    def _known(self, batch: RequestBatch) -> Iterator[None]:
        """Register a batch for :meth:`expire` during the block."""
        self._under_way[id(batch)] = batch
        if self._expired:  # expire() may have come before this batch was registered
            batch.expire()
        try:
            yield
        finally:
            del self._under_way[id(batch)]

    def _leaving(
        self, batch: RequestBatch, segment: int, sections: Iterable[Section]
    ) -> Iterator[Leaving]:
        """Return how sections leave for another segment; those for the sink leave as replies."""
        for producer, kind, target, keys, items in sections:
            for edge in self._edges[producer, kind.cls, segment]:
                if target not in (None, edge.consumer):
                    continue
                if edge.consumer == SINK:
                    yield Leaving(segment, None, producer, keys, items)
                elif edge.fanout == 1:
                    yield Leaving(segment, edge, producer, keys, items)
                else:
                    there = [batch.child(key, edge.position) for key in keys]
                    yield Leaving(segment, edge, producer, there, items)


_key = attrgetter("key")


def _gathered(visits: Sequence[Visit]) -> tuple[RequestBatch, dict[int, Visit], Iterable[Column]]:
    """Return visits as (a batch, its requests, a column for each edge), in the order of their keys.

    Each request is represented by its last visit, with the weight of all its visits, by its root.
    """
    requests: dict[int, Visit] = {}
    columns: dict[int, tuple[Edge, list[Key], list[Any]]] = {}
    known: dict[Key, Correlation] = {}
    traced: set[int] = set()
    dues: dict[int, float] = {}
    if len(visits) > 1:
        visits = sorted(visits, key=_key)
    root = first = root_of(visits[0].key)
    for visit in visits:
        _, weight, edge, key, payload, known[key], sampled, due = visit
        root = root_of(key)
        dues[root] = due
        if sampled:
            traced.add(root)
        if root in requests:
            visit = visit._replace(weight=weight + requests[root].weight)
        requests[root] = visit
        if id(edge) in columns:
            _, keys, payloads = columns[id(edge)]
            keys.append(key)
            payloads.append(payload)
        else:
            columns[id(edge)] = edge, [key], [payload]
    batch = RequestBatch(0, first, root, correlations=known, sampled=frozenset(traced), due=dues)
    return batch, requests, [Column(*each) for each in columns.values()]
