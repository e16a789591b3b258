"""The ids of workers, and the places of a plan.

A *place* is a worker's in its group, ``group-index``; the id of who is in it is
``group-index.incarnation``.
"""

from __future__ import annotations

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
