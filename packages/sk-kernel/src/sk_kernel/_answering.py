"""Running requests through one segment, all that come together: what one raises ends no other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sk_kernel._asked_batch import AskedBatch
from sk_kernel._batch import Column, Section
from sk_kernel._envelope import Correlation, Key, root_of
from sk_kernel._graph import SINK, Edge
from sk_kernel._plan import ExecutionPlan, Segment
from sk_kernel._segment import SegmentRunner
from sk_kernel._visit import Answer, Visit, shares
from sk_kernel.errors import RunError


class Outcomes(NamedTuple):
    """What requests have come to: ``answers``, and visits ``onward`` to segments, by index."""

    answers: list[Answer]
    onward: dict[int, list[Visit]]


#: What leaves for a segment over an edge, its producer, keys and payloads; without an edge they are
#: replies.
_Way = tuple[int, Edge | None, str, Sequence[Key], Sequence[Any]]


class RequestRunner:
    """Runs what requests have brought to one segment, in the thread of the segment's batches.

    A record for the sink is a reply, whichever segment the sink is in: the caller takes its place.
    """

    def __init__(self, plan: ExecutionPlan, segment: Segment, runner: SegmentRunner) -> None:
        self._runner = runner
        segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        #: By which edges a payload leaves, by producer, type and the segment that it goes to.
        self._edges: dict[tuple[str, type, int], list[Edge]] = {}
        for edge in plan.graph.edges:
            if edge.producer in segment.vertices and edge.consumer not in segment.vertices:
                way = edge.producer, edge.payload.cls, segment_of[edge.consumer]
                self._edges.setdefault(way, []).append(edge)

    def run(self, visits: Sequence[Visit]) -> Outcomes:
        """Run records, which come to this segment together, of any number of requests, as a batch.

        What a node raises, or gives wrongly, is the failure of its request, of which nothing is run
        any further. Order is that of keys, as in any batch: of requests that in which they were
        asked. A node that would end the process (``sys.exit``) fails the request.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        batch, asked, columns = _gathered(visits if len(visits) == 1 else sorted(visits, key=_key))
        replies, leaving = self._runner.answer(batch, columns)
        ways: list[_Way] = [(0, None, edge.producer, keys, items) for edge, keys, items in replies]
        for segment, sections in leaving.items():
            self._add_ways(ways, batch, segment, sections)
        return _outcomes(batch, asked, ways)

    def _add_ways(
        self, ways: list[_Way], batch: AskedBatch, segment: int, sections: Iterable[Section]
    ) -> None:
        """Add how sections leave for another segment; where that has the sink they are replies."""
        for producer, kind, target, keys, items in sections:
            for edge in self._edges[producer, kind.cls, segment]:
                if target not in (None, edge.consumer):
                    continue
                if edge.consumer == SINK:
                    ways.append((segment, None, producer, keys, items))
                elif edge.fanout == 1:
                    ways.append((segment, edge, producer, keys, items))
                else:
                    there = [batch.child(key, edge.position) for key in keys]
                    ways.append((segment, edge, producer, there, items))


_key = attrgetter("key")


def _gathered(visits: Sequence[Visit]) -> tuple[AskedBatch, dict[int, Visit], Iterable[Column]]:
    """Visits in order as a batch: with one of each request, by the root of its keys, that has all
    the weight that has come of it; and with what has come over each edge.
    """
    asked: dict[int, Visit] = {}
    columns: dict[int, tuple[Edge, list[Key], list[Any]]] = {}
    known: dict[Key, Correlation] = {}
    traced: set[int] = set()
    root = first = root_of(visits[0].key)
    for visit in visits:
        _, weight, edge, key, payload, known[key], sampled = visit
        root = root_of(key)
        if sampled:
            traced.add(root)
        if root in asked:
            visit = visit._replace(weight=weight + asked[root].weight)
        asked[root] = visit
        if id(edge) in columns:
            _, keys, payloads = columns[id(edge)]
            keys.append(key)
            payloads.append(payload)
        else:
            columns[id(edge)] = edge, [key], [payload]
    batch = AskedBatch(0, first, root, correlations=known, sampled=frozenset(traced))
    return batch, asked, [Column(*each) for each in columns.values()]


def _outcomes(batch: AskedBatch, asked: dict[int, Visit], ways: Sequence[_Way]) -> Outcomes:
    """What each request's weight is handed in for, or goes on with."""
    answers: list[Answer] = []
    for root, error in batch.failed.items():
        answers.append(_failure(asked.pop(root), error))
    for root, (node, cause) in batch.let_go.items():
        if root in asked:
            name = asked[root].request
            answers.append(Answer(name, 0, node=node, cause_type=cause, given_up=True))
    parts = _counted(asked, ways)
    divided: dict[int, Iterator[int]] = {}
    for root, count in parts.items():
        if count > 1:
            divided[root] = shares(asked[root].weight, count)
    onward: dict[int, list[Visit]] = {}
    for segment, edge, producer, keys, items in ways:
        going: list[Visit] = []
        for key, payload in zip(keys, items, strict=True):
            root = root_of(key)
            if root not in asked:
                continue
            request, weight, _, _, _, _, sampled = asked[root]
            if root in divided:
                weight = next(divided[root])
            if edge is None:
                answers.append(Answer(request, weight, True, payload, producer))
            else:
                about = batch.correlation(key)
                going.append(Visit(request, weight, edge, key, payload, about, sampled))
        if going:
            onward.setdefault(segment, []).extend(going)
    if len(parts) < len(asked):
        answers += [Answer(v.request, v.weight) for r, v in asked.items() if r not in parts]
    return Outcomes(answers, onward)


def _counted(asked: Container[int], ways: Iterable[_Way]) -> dict[int, int]:
    """How many records leave of each request that has any, by their root."""
    parts: dict[int, int] = {}
    for _, _, _, keys, _ in ways:
        for key in keys:
            root = root_of(key)
            if root in asked:
                parts[root] = parts.get(root, 0) + 1
    return parts


def _failure(visit: Visit, error: RunError) -> Answer:
    node = str(getattr(error, "node", ""))
    cause = str(getattr(error, "cause_type", "")) or type(error).__name__
    return Answer(visit.request, visit.weight, node=node, cause_type=cause)
