"""Which incarnation's version of each record is in the output, if workers were replaced. Pure.

On every route, a worker takes the first whole version of a batch that arrives. Its result is in the
output if the workers downstream have taken it in turn. Dead letters do not travel with their batch
but go to files of each worker; this module determines which of them belong to the output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import inf
from typing import NamedTuple

from sk_supervisor._protocol.worker_ids import incarnation_of, place_of

#: Ranges of record numbers: after the first number, up to and including the second.
RecordRanges = tuple[tuple[int, float], ...]

ALL: RecordRanges = ((0, inf),)

_Run = tuple[int, str, int]
"""A segment, the place in which it runs, and the incarnation of the worker there."""


class Route(NamedTuple):
    """A route of batches, from a segment in one place to a segment in another or the same place."""

    source: int
    sender: str
    target: int
    receiver: str


class Versions:
    """Which receiver took which sender's version of the records, out of places with restarts.

    :param routes: the routes between segments, each to a greater index, also those within
        a place.
    :param places: the places whose worker may be replaced; nothing is kept for the others.
    """

    def __init__(self, routes: Iterable[Route], places: Collection[str]) -> None:
        self._places = frozenset(places)
        self._routes = tuple(route for route in routes if route.sender in self._places)
        self._taken: dict[Route, dict[int, list[tuple[int, int]]]] = {
            route: {} for route in self._routes if route.sender != route.receiver
        }
        """By incarnation of the receiver: the sender's incarnations, each with its last record."""
        self._now: dict[str, int] = {}
        """The current incarnation in a place, if it is not the first."""

    def passed(self, route: Route, last: int) -> None:
        """Note that a whole batch, whose last record is ``last``, has taken this route."""
        taken = self._taken.get(route)
        if taken is None:
            return
        several = taken.setdefault(self._now.get(route.receiver, 1), [])
        sender = self._now.get(route.sender, 1)
        if not several or several[-1][1] < last:
            if several and several[-1][0] == sender:
                several.pop()
            several.append((sender, last))

    def handed_over(self, worker: str) -> None:
        """Note that ``worker`` has replaced the former worker in its place."""
        place = place_of(worker)
        before = self._now.get(place, 1)
        self._now[place] = incarnation_of(worker)
        # Forget what the former worker took for segments whose output nobody has taken.
        idle: set[int] = set()
        sources = {route.source for route in self._routes if route.sender == place}
        for segment in sorted(sources, reverse=True):
            if not any(
                route.target not in idle if route.receiver == place else self._gave(route, before)
                for route in self._out_of(segment, place)
            ):
                idle.add(segment)
        for route, taken in self._taken.items():
            if route.receiver == place and route.target in idle:
                taken.pop(before, None)

    def share(
        self, worker: str, segment: int, targets: Collection[int] | None = None
    ) -> RecordRanges:
        """The records whose version in the output is the one of this worker's segment.

        If a batch takes several routes, and a worker has passed it on on some of them and its
        successor on the others, the batch belongs to both.

        :param targets: consider only the routes to these downstream segments; None for all.
        """
        place = place_of(worker)
        if place not in self._places:
            return ALL
        routes = [w for w in self._out_of(segment, place) if targets is None or w.target in targets]
        return self._through(routes, incarnation_of(worker), {})

    def _through(
        self, routes: Iterable[Route], who: int, known: dict[_Run, RecordRanges]
    ) -> RecordRanges:
        """The records whose version in the output is of incarnation ``who``, by any route."""
        found: list[tuple[int, float]] = []
        for route in routes:
            if route.receiver == route.sender:
                found += self._of((route.target, route.receiver, who), known)
                continue
            for receiver, several in self._taken[route].items():
                after = 0
                for sender, last in several:
                    if sender == who:
                        behind = self._of((route.target, route.receiver, receiver), known)
                        found += _within(behind, after, last)
                    after = last
        return _joined(found)

    def _of(self, run: _Run, known: dict[_Run, RecordRanges]) -> RecordRanges:
        segment, place, who = run
        if place not in self._places:
            return ALL
        if run not in known:
            known[run] = self._through(self._out_of(segment, place), who, known)
        return known[run]

    def _out_of(self, segment: int, place: str) -> list[Route]:
        return [route for route in self._routes if (route.source, route.sender) == (segment, place)]

    def _gave(self, route: Route, incarnation: int) -> bool:
        """Whether a receiver took anything of this incarnation on a route out of its place."""
        return any(who == incarnation for taken in self._taken[route].values() for who, _ in taken)


def _within(records: RecordRanges, after: int, through: int) -> list[tuple[int, float]]:
    cut = [(max(after, a), min(through, to)) for a, to in records]
    return [(a, to) for a, to in cut if a < to]


def _joined(records: Iterable[tuple[int, float]]) -> RecordRanges:
    """The same records in as few ranges as possible."""
    joined: list[tuple[int, float]] = []
    for after, through in sorted(records):
        if joined and after <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(through, joined[-1][1])
        else:
            joined.append((after, through))
    return tuple(joined)
