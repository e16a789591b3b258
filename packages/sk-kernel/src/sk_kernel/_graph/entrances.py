"""Where requests come into a graph, and under which keys: as if the source gave them."""

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
    """The entrances of one graph, for the requests of one run.

    :param run_id: the run whose requests these are: their keys are unlike those of other runs.
    """

    def __init__(self, graph: Graph, run_id: str) -> None:
        self._edges = entrances_of(graph)
        self._before = before_requests(run_id)
        taken_by = [t.cls for name in graph.nodes for t in graph.consumed(name)]
        #: Whether a request may become several records, whose keys must tell them apart.
        self._branching = graph.branching or len(set(taken_by)) < len(taken_by)

    def entry(self, target: str, cls: type) -> Edge:
        """The edge by which a caller's payload comes to ``target``.

        :raises UnknownRouteError: for a class that is not declared: only its base is, perhaps.
        """
        edge = self._edges.get((target, cls))
        if edge is None:
            problem = f"{target!r} takes {cls.__qualname__} from no caller: send what it declares"
            raise UnknownRouteError(problem, target=target)
        return edge

    def root(self, number: int, position: int, targets: int) -> Key:
        """The key of a request's record for one of its ``targets``, unlike that of any other.

        Requests count from 1; their keys grow with them, from :func:`before_requests` of the run.
        """
        root = self._before + number
        if targets > 1:
            return (root, position)
        return (root,) if self._branching else root


def entrances_of(graph: Graph) -> dict[tuple[str, type], Edge]:
    """The edges by which requests come in, by consumer and class of payload.

    A caller stands where the source stands, whatever the source gives.
    """
    edges = {
        (name, payload.cls): Edge(SOURCE, payload, name, 0, 1)
        for name in (*graph.nodes, SINK)
        for payload in graph.consumed(name)
    }
    own = (edge for edge in graph.edges if edge.producer == SOURCE)
    return edges | {(edge.consumer, edge.payload.cls): edge for edge in own}


def only_asked(graph: Graph) -> Iterator[tuple[str, PayloadType]]:
    """The (node, type) pairs that no edge leads to: only callers give a node such a payload.

    None where the source is another one than ``requests``: nobody may ever call there.
    """
    if is_request_source(graph.source):
        brought = {(edge.consumer, edge.payload) for edge in graph.edges}
        for name in graph.nodes:
            for payload in graph.consumed(name):
                if (name, payload) not in brought:
                    yield name, payload


def before_requests(run_id: str) -> int:
    """What a run's requests are numbered from: far below 0, and by another number in each run.

    Else two runs that serve requests of one caller's trace would give their records the same keys,
    and so the same span ids. The numbers are of at most 53 bits, which JSON has exactly.
    """
    own = blake2b(run_id.encode(), digest_size=8, person=b"sk-asked").digest()
    return int.from_bytes(own, "big") % _HALF - 2 * _HALF
