"""The edges by which requests enter a graph, and their keys: as if the source had emitted them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from sk_kernel._declare.specs import PayloadType
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.serving import is_request_source
from sk_kernel._record.envelope import Key
from sk_kernel.errors import UnknownRouteError

_HALF: Final = 1 << 52


class Entrances:
    """The entrances of one graph for the requests of one run.

    :param run_id: the run; the keys of its requests differ from those of other runs.
    """

    def __init__(self, graph: Graph, run_id: str) -> None:
        self._edges = entrances_of(graph)
        self._before = before_requests(run_id)
        taken_by = [t.cls for name in graph.nodes for t in graph.consumed(name)]
        #: Whether a request may become several records, which then need different keys.
        self._branching = graph.branching or len(set(taken_by)) < len(taken_by)

    def entry(self, target: str, cls: type) -> Edge:
        """Return the edge by which a caller's payload of class ``cls`` comes to ``target``.

        :raises UnknownRouteError: when ``target`` does not declare exactly this class; a declared
            base class is not enough.
        """
        edge = self._edges.get((target, cls))
        if edge is None:
            problem = f"{target!r} takes {cls.__qualname__} from no caller: send what it declares"
            raise UnknownRouteError(problem, target=target)
        return edge

    def root(self, number: int, position: int, targets: int) -> Key:
        """Return the unique key of a request's record for the target at ``position``.

        :param number: the request's number, which counts from 1. Keys grow with it, from
            :func:`before_requests` of the run.
        :param targets: how many targets the request has.
        """
        root = self._before + number
        if targets > 1:
            return (root, position)
        return (root,) if self._branching else root


def entrances_of(graph: Graph) -> dict[tuple[str, type], Edge]:
    """Return the edges by which requests come in, by consumer and class of payload.

    They have the source as producer, whether or not the source emits the payload's class.
    """
    edges = {
        (name, payload.cls): Edge(SOURCE, payload, name, 0, 1)
        for name in (*graph.nodes, SINK)
        for payload in graph.consumed(name)
    }
    own = (edge for edge in graph.edges if edge.producer == SOURCE)
    return edges | {(edge.consumer, edge.payload.cls): edge for edge in own}


def only_asked(graph: Graph) -> Iterator[tuple[str, PayloadType]]:
    """Yield the (node, type) pairs that no edge leads to: only requests bring such payloads.

    Yields nothing unless the source is ``requests``, since otherwise there may be no callers.
    """
    if is_request_source(graph.source):
        brought = {(edge.consumer, edge.payload) for edge in graph.edges}
        for name in graph.nodes:
            for payload in graph.consumed(name):
                if (name, payload) not in brought:
                    yield name, payload


def before_requests(run_id: str) -> int:
    """Return the number from which a run numbers its requests: far below 0, different in each run.

    Otherwise two runs that serve requests of the same caller's trace would give their records the
    same keys, and so the same span ids. The numbers have at most 53 bits, so JSON keeps them
    exactly.
    """
    own = blake2b(run_id.encode(), digest_size=8, person=b"sk-asked").digest()
    return int.from_bytes(own, "big") % _HALF - 2 * _HALF
