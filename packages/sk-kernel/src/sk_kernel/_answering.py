"""Running requests through one segment, each by itself: what one raises ends no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sk_kernel._batch import Batch, Section
from sk_kernel._envelope import Key, root_of
from sk_kernel._graph import SINK, Edge
from sk_kernel._plan import ExecutionPlan, Segment
from sk_kernel._segment import SegmentRunner
from sk_kernel._visit import Answer, Visit, shares
from sk_kernel.errors import DeadLetterError, RunError


class Onward(NamedTuple):
    """A record that goes on to another segment, by its index."""

    segment: int
    visit: Visit


class _Departure(NamedTuple):
    edge: Edge
    key: Key
    payload: Any


class RequestRunner:
    """Runs what requests have brought to one segment, in the thread of the segment's batches.

    A record for the sink is a reply, whichever segment the sink is in: the caller takes its place.
    """

    def __init__(self, plan: ExecutionPlan, segment: Segment, runner: SegmentRunner) -> None:
        self._runner = runner
        self._segment_of = {v: s.index for s in plan.segments for v in s.vertices}
        self._edges: dict[tuple[str, type], list[Edge]] = {}
        for edge in plan.graph.edges:
            if edge.producer in segment.vertices and edge.consumer not in segment.vertices:
                self._edges.setdefault((edge.producer, edge.payload.cls), []).append(edge)

    def run(self, visits: Sequence[Visit]) -> Iterator[Answer | Onward]:
        """Run records of one request, which come to this segment together.

        What a node raises, or gives wrongly, is the request's failure. Order among the records of
        a request is that of their keys, as in a batch. A node that would end the process
        (``sys.exit``) fails the request.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        first = visits[0]
        weight = sum(visit.weight for visit in visits)
        lost = self._runner.losses.given_up
        root = root_of(first.key)
        batch = Batch(0, root, root, sampled=frozenset((root,)) if first.sampled else frozenset())
        for visit in visits:
            batch.correlations[visit.key] = visit.correlation
        arrivals = [(visit.edge, visit.key, visit.payload) for visit in visits]
        try:
            replies, leaving = self._runner.answer(batch, arrivals)
        except DeadLetterError:
            raise
        except SystemExit:
            yield Answer(first.request, weight, cause_type="SystemExit")
            return
        except RunError as error:
            node = str(getattr(error, "node", ""))
            cause = str(getattr(error, "cause_type", "")) or type(error).__name__
            yield Answer(first.request, weight, node=node, cause_type=cause)
            return
        departures = list(self._departures(batch, leaving, replies))
        if self._runner.losses.given_up != lost:
            node, cause = self._runner.losses.latest
            yield Answer(first.request, 0, node=node, cause_type=cause, given_up=True)
        weights = shares(weight, len(replies) + len(departures) or 1)
        for payload in replies:
            yield Answer(first.request, next(weights), replied=True, payload=payload)
        for edge, key, payload in departures:
            known = batch.correlation(key)
            share, sampled = next(weights), first.sampled
            visit = Visit(first.request, share, edge, key, payload, known, sampled)
            yield Onward(self._segment_of[edge.consumer], visit)
        if not replies and not departures:
            yield Answer(first.request, weight)

    def _departures(
        self, batch: Batch, leaving: dict[int, list[Section]], replies: list[Any]
    ) -> Iterator[_Departure]:
        """What leaves for other segments; for the sink it is a reply, and joins the others."""
        for segment, sections in leaving.items():
            for section in sections:
                for edge in self._edges[section.producer, section.payload.cls]:
                    there = self._segment_of[edge.consumer] == segment
                    if there and section.target in (None, edge.consumer):
                        if edge.consumer == SINK:
                            replies += section.items
                        else:
                            yield from _along(batch, edge, section)


def _along(batch: Batch, edge: Edge, section: Section) -> Iterator[_Departure]:
    for key, payload in zip(section.keys, section.items, strict=True):
        if edge.fanout == 1:
            yield _Departure(edge, key, payload)
        else:
            child = (*key, edge.position) if isinstance(key, tuple) else (key, edge.position)
            batch.correlations[child] = batch.correlation(key)
            yield _Departure(edge, child, payload)
