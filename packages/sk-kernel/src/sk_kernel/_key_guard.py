"""A guard before a keyed state: no record may come to it at a worker that does not own its key.

Who sends to several workers splits by the key that a record has then. A node between there and the
state that changed it would have the state look in the wrong worker, without a word.
"""

from __future__ import annotations

from collections.abc import Collection

from sk_kernel._envelope import root_of
from sk_kernel._flow import Flow
from sk_kernel._graph import Edge
from sk_kernel._key_groups import KeyOwners
from sk_kernel.errors import MovedKeyError


class KeyGuard:
    """A step that looks at what waits over ``edges``, and takes nothing."""

    def __init__(self, edges: Collection[Edge], key: str, workers: int, index: int) -> None:
        self._edges, self._key, self._index = frozenset(edges), key, index
        self._consumers = tuple(dict.fromkeys(edge.consumer for edge in edges))
        self._owners = KeyOwners(key, workers)

    def run(self, flow: Flow) -> None:
        """See the class.

        :raises MovedKeyError: when a record is another worker's.
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
