"""Running requests through one segment: all that come together as one batch, each by itself."""

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
    """Runs what requests have brought to one segment, in the thread of the segment's batches.

    A record for the sink is a reply, whichever segment the sink is in: the caller takes its place.

    ``on_failed`` is called, in that thread, with the error of each request that has failed here.
    """

    def __init__(self, plan: ExecutionPlan, segment: Segment, runner: SegmentRunner) -> None:
        self._runner, self.manner = runner, runner.manner
        self.on_failed: Callable[[RunError], object] | None = None
        #: Those that are run at this moment, by their identity: several where they overlap.
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
        """Run records of any number of requests, which have come to this segment together.

        They pass it as a batch does: node by node in the order of their keys, which is the order in
        which the requests were made. What a node raises on a record, or gives that it does not
        declare, fails that record's request, of which nothing is run any further; so does a node
        that would end the process (``sys.exit``). One whose time is over is not run at all, and a
        coroutine whose request runs out of time is cancelled (:class:`RequestExpiredError`).

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        in_time, answers = self._in_time(visits)
        if not in_time:
            return Outcomes(answers, {})
        batch, requests, columns = _gathered(in_time)
        with self._known(batch):
            replies, departures = self._runner.answer(batch, columns)
        return self._outcomes(answers, batch, requests, replies, departures)

    async def overlap(self, visits: Sequence[Visit]) -> Outcomes:
        """:meth:`run`, while others are under way: only where :attr:`manner` is overlapping.

        :raises DeadLetterError: when what a node gave up cannot be written.
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
        """What becomes of those that are not run, as nobody would wait for what comes of them."""
        late = RequestExpiredError.__name__
        return [Answer(v.request, v.weight, node=v.edge.consumer, cause_type=late) for v in visits]

    def expire(self) -> None:
        """Nobody waits any more for what is run, or ever will be. Any thread.

        As if the time of all requests were over: a coroutine that waits on behalf of one is
        cancelled, once, and what comes from then on is not run at all.
        """
        self._expired = True
        for batch in tuple(self._under_way.values()):
            batch.expire()

    def _in_time(self, visits: Sequence[Visit]) -> tuple[Sequence[Visit], list[Answer]]:
        """(those that somebody waits for still, the failures of the others)."""
        now = math.inf if self._expired else time.monotonic()
        if all(visit.due > now for visit in visits):
            return visits, []
        in_time = [visit for visit in visits if visit.due > now]
        return in_time, self.late(visit for visit in visits if visit.due <= now)

    @contextmanager
    def _known(self, batch: RequestBatch) -> Iterator[None]:
        """Have :meth:`expire` meet a batch for as long as this lasts."""
        self._under_way[id(batch)] = batch
        if self._expired:  # it may have looked before
            batch.expire()
        try:
            yield
        finally:
            del self._under_way[id(batch)]

    def _leaving(
        self, batch: RequestBatch, segment: int, sections: Iterable[Section]
    ) -> Iterator[Leaving]:
        """How sections leave for another segment; to the sink, if that is there, as replies."""
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
    """Visits as (a batch, its requests, what has come over each edge): in the order of their keys.

    Of each request stands its last visit, by the root of its keys, with the weight of all of them.
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
