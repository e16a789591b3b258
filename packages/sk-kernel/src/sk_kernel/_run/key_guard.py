"""A guard before a keyed state: no record may come to it in a worker that does not own its key.

Whoever sends to several workers splits by the key that a record has then. If a node between there
and the state changes that key, the record meets the state in the wrong worker: without a guard the
output would be wrong, and nobody told.
"""

from __future__ import annotations

from collections.abc import Collection

from sk_kernel._batch.flow import Flow
from sk_kernel._batch.key_groups import KeyOwners
from sk_kernel._graph.graph import Edge
from sk_kernel._record.envelope import root_of
from sk_kernel.errors import MovedKeyError


class KeyGuard:
    """A step that looks at what waits for its vertices, and takes nothing.

    :param edges: those over which a record may come whose key was changed.
    :param key: the attribute that records are split by.
    :param workers: how many share the segment.
    :param index: which of them this is.
    """

    def __init__(self, edges: Collection[Edge], key: str, workers: int, index: int) -> None:
        self._edges, self._key, self._index = frozenset(edges), key, index
        self._consumers = tuple(dict.fromkeys(edge.consumer for edge in edges))
        self._owners = KeyOwners(key, workers)

    def run(self, flow: Flow) -> None:
        """Refuse whatever waits here and is another worker's.

        :raises MovedKeyError: when there is any; of a request, the batch is told instead.
        """
        for consumer in self._consumers:
            for edge, keys, items in flow.batch.going(flow.inbox.get(consumer, [])):
                if edge not in self._edges:
                    continue
                owners = self._owners.of(items)
                if set(owners) - {self._index}:
                    for key, owner in zip(keys, owners, strict=True):
                        if owner != self._index:
                            at = root_of(key)
                            moved = MovedKeyError(edge.producer, consumer, self._key, at)
                            flow.batch.blame(moved.about(key))
