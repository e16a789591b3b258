"""The worker in each place, and the peers that each worker has been told about."""

from __future__ import annotations

import threading

from sk_kernel.runtime import ExecutionPlan

from sk_supervisor._protocol.worker_ids import place_edges, place_of, places_of


class WorkerDirectory:
    """The current worker of each place. A successor takes its place when it is ready.

    Thread-safe, as bundles are made in threads of the control server.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        self._lock = threading.Lock()
        self._edges = place_edges(plan)
        self._now = {
            place: f"{place}.1" for several in places_of(plan).values() for place in several
        }
        self._told: dict[str, tuple[str, dict[str, str]]] = {}
        """For each place, the last worker that got a bundle, and the peers that it was told."""

    @property
    def now(self) -> dict[str, str]:
        """The current worker of each place."""
        with self._lock:
            return dict(self._now)

    def introduce_all(self, worker: str) -> dict[str, str]:
        """The worker of each place for the bundle of ``worker``, which is itself in its own."""
        with self._lock:
            told = {**self._now, place_of(worker): worker}
            self._told[place_of(worker)] = worker, told
            return dict(told)

    def take_over(self, worker: str) -> bool:
        """Put a worker that is ready into its place; return whether it was not there yet."""
        with self._lock:
            place = place_of(worker)
            new = self._now[place] != worker
            self._now[place] = worker
            return new

    def news(self, worker: str) -> tuple[str, ...]:
        """The places that ``worker`` exchanges batches with whose change it does not know yet.

        Each change is returned once.
        """
        with self._lock:
            own = place_of(worker)
            introduced, told = self._told.get(own, ("", self._now))
            if introduced != worker:
                return ()
            near = {b if a == own else a for a, b in self._edges if own in (a, b)}
            changed = sorted(place for place in near if told[place] != self._now[place])
            told.update({place: self._now[place] for place in changed})
            return tuple(changed)

    def edges(self, workers: dict[str, str]) -> tuple[tuple[str, str], ...]:
        """The pairs (sender, receiver) between which batches travel."""
        return tuple((workers[a], workers[b]) for a, b in self._edges)
