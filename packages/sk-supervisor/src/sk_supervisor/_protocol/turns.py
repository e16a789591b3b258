"""The choice of a worker, among those of a group, for a record of a request."""

from __future__ import annotations

from sk_kernel.runtime import KeyOwners, Segment


class Turns:
    """Chooses the worker of a segment for a record: by its key, or else in turn."""

    def __init__(self, segment: Segment) -> None:
        keyed = segment.key is not None and segment.workers > 1
        self._owners = KeyOwners(segment.key or "", segment.workers) if keyed else None
        self._workers, self._next = segment.workers, 0

    def of(self, payload: object) -> int:
        """The index of the chosen worker in its group."""
        if self._owners is not None:
            return self._owners.of((payload,))[0]
        self._next = (self._next + 1) % self._workers
        return self._next
