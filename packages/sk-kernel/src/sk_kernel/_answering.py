"""Running requests through one segment, each by itself: what one raises ends no other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

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


class _Leaver(NamedTuple):
    segment: int
    edge: Edge
    key: Key
    payload: Any


_NONE: Final[frozenset[int]] = frozenset()


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

    def run(self, visits: Sequence[Visit]) -> list[Answer | Onward]:
        """Run records of one request, which come to this segment together.

        What a node raises, or gives wrongly, is the request's failure. Order among the records of
        a request is that of their keys, as in a batch. A node that would end the process
        (``sys.exit``) fails the request.

        :raises DeadLetterError: when what a node gave up cannot be written.
        """
        request, sampled = visits[0].request, visits[0].sampled
        weight = sum([visit.weight for visit in visits])
        losses = self._runner.losses
        lost = losses.given_up
        root = root_of(visits[0].key)
        known = {visit.key: visit.correlation for visit in visits}
        traced = frozenset((root,)) if sampled else _NONE
        batch = Batch(0, root, root, correlations=known, sampled=traced)
        arrivals = [(visit.edge, visit.key, visit.payload) for visit in visits]
        try:
            replies, leaving = self._runner.answer(batch, arrivals)
        except DeadLetterError:
            raise
        except SystemExit:
            return [Answer(request, weight, cause_type="SystemExit")]
        except RunError as error:
            node = str(getattr(error, "node", ""))
            cause = str(getattr(error, "cause_type", "")) or type(error).__name__
            return [Answer(request, weight, node=node, cause_type=cause)]
        outcomes: list[Answer | Onward] = []
        if losses.given_up != lost:
            node, cause = losses.latest
            outcomes.append(Answer(request, 0, node=node, cause_type=cause, given_up=True))
        leavers = self._leavers(batch, leaving, replies)
        if not replies and not leavers:
            outcomes.append(Answer(request, weight))
            return outcomes
        weights = shares(weight, len(replies) + len(leavers))
        for payload in replies:
            outcomes.append(Answer(request, next(weights), True, payload))
        for segment, edge, key, payload in leavers:
            about = batch.correlation(key)
            visit = Visit(request, next(weights), edge, key, payload, about, sampled)
            outcomes.append(Onward(segment, visit))
        return outcomes

    def _leavers(
        self, batch: Batch, leaving: dict[int, list[Section]], replies: list[Any]
    ) -> list[_Leaver]:
        """What leaves for other segments; for the sink it is a reply, and joins the others."""
        leavers: list[_Leaver] = []
        for segment, sections in leaving.items():
            for section in sections:
                for edge in self._edges[section.producer, section.payload.cls, segment]:
                    if section.target not in (None, edge.consumer):
                        continue
                    if edge.consumer == SINK:
                        replies += section.items
                        continue
                    for key, payload in zip(section.keys, section.items, strict=True):
                        there = key if edge.fanout == 1 else _child(batch, key, edge.position)
                        leavers.append(_Leaver(segment, edge, there, payload))
        return leavers


def _child(batch: Batch, key: Key, position: int) -> Key:
    child = (*key, position) if isinstance(key, tuple) else (key, position)
    batch.correlations[child] = batch.correlation(key)
    return child
