"""Which worker is in which place, and what every worker has been told of the others.

A *place* is a worker's in its group, ``group-index``; the id of who is in it is
``group-index.incarnation``.
"""

from __future__ import annotations

import threading

from sk_kernel.runtime import ExecutionPlan


def worker_name(group: str, index: int, incarnation: int) -> str:
    """The id of a worker; a restarted one is another worker in the same place."""
    return f"{group}-{index}.{incarnation}"


def place_of(worker: str) -> str:
    """The place in a worker's id."""
    return worker.rpartition(".")[0]


def index_of(worker: str) -> int:
    """The index, within its group, in a worker's id."""
    return int(place_of(worker).rpartition("-")[2])


def group_of(worker: str) -> str:
    """The group in a worker's id."""
    return place_of(worker).rpartition("-")[0]


def incarnation_of(worker: str) -> int:
    """The incarnation in a worker's id."""
    return int(worker.rpartition(".")[2])


def came_before(worker: str, other: str) -> bool:
    """Whether a name is that of an earlier incarnation in the place of ``other``."""
    incarnation = worker.rpartition(".")[2]
    known = incarnation_of(other)
    # The name may be whatever a peer has sent.
    if not incarnation.isdecimal() or len(incarnation) > len(str(known)):
        return False
    number = int(incarnation)
    return number < known and worker == f"{place_of(other)}.{number}"


def places_of(plan: ExecutionPlan) -> dict[int, tuple[str, ...]]:
    """The places of each segment's workers, by their index."""
    return {s.index: tuple(f"{s.group}-{i}" for i in range(s.workers)) for s in plan.segments}


def place_edges(plan: ExecutionPlan) -> tuple[tuple[str, str], ...]:
    """The pairs (from, to) of different places that batches travel between."""
    places = places_of(plan)
    pairs = (
        (a, b) for s in plan.segments for d in s.downstream for a in places[s.index]
        for b in places[d]
    )  # fmt: skip
    return tuple(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))


class Peers:
    """The workers that are in place. A successor comes into its place when it is ready.

    Thread-safe: bundles are made in threads of the control server.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        self._lock = threading.Lock()
        self._edges = place_edges(plan)
        self._now = {
            place: f"{place}.1" for several in places_of(plan).values() for place in several
        }
        self._told: dict[str, tuple[str, dict[str, str]]] = {}
        """What whoever was last introduced in each place was told."""

    @property
    def now(self) -> dict[str, str]:
        """The worker in each place, as of now."""
        with self._lock:
            return dict(self._now)

    def introduce_all(self, worker: str) -> dict[str, str]:
        """The worker in each place as a bundle tells it to ``worker``, itself in its own."""
        with self._lock:
            told = {**self._now, place_of(worker): worker}
            self._told[place_of(worker)] = worker, told
            return dict(told)

    def take_over(self, worker: str) -> bool:
        """Put a worker that is ready into its place; whether it was not there yet."""
        with self._lock:
            place = place_of(worker)
            new = self._now[place] != worker
            self._now[place] = worker
            return new

    def news(self, worker: str) -> tuple[str, ...]:
        """The places that ``worker`` exchanges batches with and has to hear of, each told once."""
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
        """The pairs (sender, receiver) that batches travel between."""
        return tuple((workers[a], workers[b]) for a, b in self._edges)
