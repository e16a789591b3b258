"""Whose version of each record counts, where workers have taken the places of others. Pure.

A batch that a failed worker had passed on whole is taken as it is; of the batches behind it those
of its successor are. What a node gives up goes to a file, and not the way that its batch does: with
this it is known which of it belongs to the output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sk_supervisor._protocol.peers import incarnation_of, place_of

#: The segment and place that a frame comes from, the segment and place that it goes to.
Way = tuple[int, str, int, str]


class Versions:
    """The records up to which each worker's batches have passed the hub whole, on every way.

    :param places: those whose worker may be replaced; of the others nothing is kept.
    """

    def __init__(self, ways: Iterable[Way], places: Collection[str]) -> None:
        self._whole = {way: 0 for way in ways if way[1] in places}
        self._now: dict[str, int] = {}
        """The incarnation in a place, where it is not the first."""
        self._former: dict[str, list[tuple[int, int]]] = {}
        """Of a place those before it, each with its last record: who has got further than any."""

    def passed(self, way: Way, last: int) -> None:
        """All of a batch, whose last record this is, has gone from one worker to another."""
        if last > self._whole.get(way, last):
            self._whole[way] = last

    def handed_over(self, worker: str) -> None:
        """Another one is in its place: this worker."""
        place, now = place_of(worker), incarnation_of(worker)
        before = self._now.get(place, 1)
        self._now[place] = now
        through = min((last for way, last in self._whole.items() if way[1] == place), default=0)
        self._former[place] = _climbing([*self._former.get(place, ()), (before, through)])
        # Whatever it had and has not passed on is sent anew, by whoever is in a place now.
        for way, last in self._whole.items():
            if way[3] == place:
                self._whole[way] = min(last, through)
                known = self._former.get(way[1], ())
                self._former[way[1]] = _climbing((who, min(to, through)) for who, to in known)

    def share(self, worker: str) -> tuple[int, int | None]:
        """The records of which a worker's version counts: behind the first, up to the second."""
        place, incarnation = place_of(worker), incarnation_of(worker)
        after = 0
        for former, through in self._former.get(place, ()):
            if former == incarnation:
                return after, through
            if former < incarnation:
                after = through
        return after, None if incarnation == self._now.get(place, 1) else after


def _climbing(former: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those who have got further than all before them: of the others nothing counts."""
    kept: list[tuple[int, int]] = []
    for incarnation, through in former:
        if through > (kept[-1][1] if kept else 0):
            kept.append((incarnation, through))
    return kept
