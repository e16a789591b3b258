"""A guard before a keyed state: rejects records whose key another worker owns.

A sender splits records over workers by their key at that time. If a node between the sender and the
state changes the key, the record reaches the state in the wrong worker, and without a guard the
output would be silently wrong. That node may itself have the state.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sk_kernel._batch.flow import Flow
from sk_kernel._batch.key_groups import KeyOwners
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import Key, root_of
from sk_kernel.errors import MovedKeyError


class KeyGuard:
    """Checks the keys of the records that wait for the states of one unit; leaves them there.

    As a step, it checks everything that waits for the unit; within the unit, the unit calls it for
    each record.

    :param edges: all edges to a node with a state from nodes that the same workers run.
    :param changers: by the producer of such an edge, the nodes that may have changed the key of its
        output.
    :param key: the attribute by which records are split.
    :param workers: how many workers share the segment.
    :param index: the index of this worker.
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
        """Reject each waiting record whose key another worker owns.

        :raises MovedKeyError: when there is one; for a record of a request, the request fails
            instead.
        """
        self.look(flow, self._consumers)

    def look(self, flow: Flow, consumers: Iterable[str]) -> None:
        """Check, as :meth:`run` does, the records that wait for some of the nodes."""
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
        """Return whether the key of a record on ``edge`` may have changed since the split."""
        return edge.producer in self._changers and edge.consumer in self._consumers

    def strays(self, item: object) -> bool:
        """Return whether another worker owns a payload's key."""
        return self._owners.of_one(item) != self._index

    def moved(self, edge: Edge, key: Key) -> MovedKeyError:
        """Return the error for the record ``key``, which came over ``edge`` to the wrong worker."""
        nodes = self._changers[edge.producer]
        return MovedKeyError(nodes, edge.consumer, self._key, root_of(key)).about(key)
