"""The ids of workers, and the places of a plan.

A *place* is the position of a worker in its group, ``group-index``; the id of the worker in it is
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
    """Whether ``worker`` is the id of an earlier incarnation in the place of ``other``."""
    incarnation = worker.rpartition(".")[2]
    known = incarnation_of(other)
    # The id comes from a peer and may be any text.
    if not incarnation.isdecimal() or len(incarnation) > len(str(known)):
        return False
    number = int(incarnation)
    return number < known and worker == f"{place_of(other)}.{number}"


def places_of(plan: ExecutionPlan) -> dict[int, tuple[str, ...]]:
    """The places of each segment's workers, by the index of the segment."""
    return {s.index: tuple(f"{s.group}-{i}" for i in range(s.workers)) for s in plan.segments}


def place_edges(plan: ExecutionPlan) -> tuple[tuple[str, str], ...]:
    """The pairs (from, to) of different places between which batches travel."""
    places = places_of(plan)
    pairs = (
        (a, b) for s in plan.segments for d in s.downstream for a in places[s.index]
        for b in places[d]
    )  # fmt: skip
    return tuple(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1]))
