"""The outcomes of requests in one segment: answers, and visits to other segments.

Their weights add up to the weight that came in. Pure. For one batch, whose requests are identified
by the roots of their keys.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sk_kernel._batch.request_batch import RequestBatch
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._requests.visit import Answer, Visit, shares
from sk_kernel.errors import RequestSpreadTooFarError, RunError


class Outcomes(NamedTuple):
    """The outcomes of requests in a segment.

    ``answers`` are for the callers; the visits in ``onward`` are by the index of the segment that
    they go to.
    """

    answers: list[Answer]
    onward: dict[int, list[Visit]]


class Leaving(NamedTuple):
    """Records of any number of requests that leave a segment, all from one producer.

    They go over ``edge`` to the segment with the index ``segment``; without an edge they are
    replies.
    """

    segment: int
    edge: Edge | None
    producer: str
    keys: Sequence[Key]
    items: Sequence[Any]


def outcomes_of(
    batch: RequestBatch, requests: dict[int, Visit], leaving: Sequence[Leaving]
) -> Outcomes:
    """Return the outcomes of all requests, with the whole weight of each.

    The weight of a request that has failed goes into its failure; otherwise it is divided among the
    records that leave, as replies or onward; if none leaves, it goes into an empty answer. A
    request that has less weight than records fails with RequestSpreadTooFarError, in the ``batch``
    as well.

    :param requests: for each request one visit that has the weight of all its visits, by root;
        those that have failed are removed.
    """
    answers = [_failure(requests.pop(root), error) for root, error in batch.failed.items()]
    parts = _counted(requests, leaving)
    for root in [root for root, count in parts.items() if count > requests[root].weight]:
        del parts[root]
        error = _spread_too_far(batch, root, leaving)
        batch.blame(error)
        answers.append(_failure(requests.pop(root), error))
    for root, (node, cause) in batch.dropped.items():
        if root in requests:
            name = requests[root].request
            answers.append(Answer(name, 0, node=node, cause_type=cause, is_policy_drop=True))
    divided: dict[int, Iterator[int]] = {}
    for root, count in parts.items():
        if count > 1:
            divided[root] = shares(requests[root].weight, count)
    onward: dict[int, list[Visit]] = {}
    for segment, edge, producer, keys, items in leaving:
        going: list[Visit] = []
        for key, payload in zip(keys, items, strict=True):
            root = root_of(key)
            if root not in requests:
                continue
            request, weight, _, _, _, _, sampled, due = requests[root]
            if root in divided:
                weight = next(divided[root])
            if edge is None:
                answers.append(Answer(request, weight, True, payload, producer))
            else:
                about = batch.correlation(key)
                going.append(Visit(request, weight, edge, key, payload, about, sampled, due))
        if going:
            onward.setdefault(segment, []).extend(going)
    if len(parts) < len(requests):
        answers += [Answer(v.request, v.weight) for r, v in requests.items() if r not in parts]
    return Outcomes(answers, onward)


def _counted(requests: Container[int], leaving: Iterable[Leaving]) -> dict[int, int]:
    """Count the records of each request that leave, by its root; omit requests without any."""
    parts: dict[int, int] = {}
    for each in leaving:
        for key in each.keys:
            root = root_of(key)
            if root in requests:
                parts[root] = parts.get(root, 0) + 1
    return parts


def _spread_too_far(batch: RequestBatch, root: int, leaving: Iterable[Leaving]) -> RunError:
    """Return the failure of a request of which more records leave than it has weight."""
    own = ((key, each.producer) for each in leaving for key in each.keys if root_of(key) == root)
    key, node = next(own)
    error = RequestSpreadTooFarError(node).about(key)
    error.trace_id = batch.correlation(key).trace_id
    return error


def _failure(visit: Visit, error: RunError) -> Answer:
    node = str(getattr(error, "node", ""))
    cause = str(getattr(error, "cause_type", "")) or type(error).__name__
    return Answer(visit.request, visit.weight, node=node, cause_type=cause)
