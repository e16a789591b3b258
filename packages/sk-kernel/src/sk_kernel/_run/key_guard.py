"""A guard before a keyed state: no record may come to it in a worker that does not own its key.

Whoever sends to several workers splits by the key that a record has then. If a node between there
and the state changes that key, the record meets the state in the wrong worker: without a guard the
output would be wrong, and nobody told. That node may itself have the state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sk_kernel._batch.flow import Flow
from sk_kernel._batch.key_groups import KeyOwners
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key, root_of
from sk_kernel.errors import MovedKeyError


class KeyGuard:
    """Looks at the keys of what comes to the states of one unit, and takes nothing.

    As a step, at all that waits for the unit; within it the unit itself asks, record by record.

    :param edges: all that lead to a node with a state from nodes that the same workers run.
    :param changers: by the producer of such an edge, who may have changed the key of what it gives.
    :param key: the attribute that records are split by.
    :param workers: how many share the segment.
    :param index: which of them this is.
    """

    def __init__(
        self,
        edges: Collection[Edge],
        changers: Mapping[str, tuple[str, ...]],
        key: str,
        workers: int,
        index: int,
    ) -> None:
        self._key, self._index, self._changers = key, index, changers
        self._consumers = tuple(dict.fromkeys(edge.consumer for edge in edges))
        self._owners = KeyOwners(key, workers)

    def run(self, flow: Flow) -> None:
        """Refuse whatever waits here and is another worker's.

        :raises MovedKeyError: when there is any; of a request, the batch is told instead.
        """
        self.look(flow, self._consumers)

    def look(self, flow: Flow, consumers: Iterable[str]) -> None:
        """:meth:`run` for what waits for some of the nodes."""
        for consumer in consumers:
            for edge, keys, items in flow.batch.without_failed(flow.inbox.get(consumer, [])):
                if not self.guards(edge):
                    continue
                owners = self._owners.of(items)
                if set(owners) - {self._index}:
                    for key, owner in zip(keys, owners, strict=True):
                        if owner != self._index:
                            flow.batch.blame(self.moved(edge, key))

    def guards(self, edge: Edge) -> bool:
        """Whether what comes over an edge may have another key than the one it was split by."""
        return edge.producer in self._changers and edge.consumer in self._consumers

    def strays(self, item: object) -> bool:
        """Whether a payload is another worker's."""
        return self._owners.of_one(item) != self._index

    def moved(self, edge: Edge, key: Key) -> MovedKeyError:
        """The error for the record ``key``, which came over a guarded edge and strays."""
        nodes = self._changers[edge.producer]
        return MovedKeyError(nodes, edge.consumer, self._key, root_of(key)).about(key)
