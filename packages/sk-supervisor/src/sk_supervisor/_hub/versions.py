"""Whose version of each record counts, where workers have taken the places of others. Pure.

A batch that a failed worker had passed on whole is taken as it is; of the batches behind it those
of its successor are. What a node gives up goes to a file, and not the way that its batch does: with
this it is known which of it belongs to the output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sk_kernel.runtime import Counted

from sk_supervisor._protocol.peers import place_of

#: The segment and place that a frame comes from, the segment and place that it goes to.
Way = tuple[int, str, int, str]


class Versions:
    """The records up to which each worker's batches have passed the hub whole, on every way.

    :param places: those whose worker may be replaced; of the others nothing is kept.
    """

    def __init__(self, ways: Iterable[Way], places: Collection[str]) -> None:
        self._whole = {way: 0 for way in ways if way[1] in places}
        self._former: dict[str, list[tuple[str, int]]] = {}
        """Who was in a place, in order, each with the last record that it has passed on."""

    def passed(self, way: Way, last: int) -> None:
        """All of a batch, whose last record this is, has gone from one worker to another."""
        if last > self._whole.get(way, last):
            self._whole[way] = last

    def handed_over(self, worker: str) -> None:
        """Another one is in the place of this worker."""
        place = place_of(worker)
        through = min((last for way, last in self._whole.items() if way[1] == place), default=0)
        self._former.setdefault(place, []).append((worker, through))
        # Whatever it had and has not passed on is sent anew, by whoever is in a place now.
        for way, last in self._whole.items():
            if way[3] == place:
                self._whole[way] = min(last, through)
                known = self._former.get(way[1], ())
                self._former[way[1]] = [(name, min(to, through)) for name, to in known]

    def counted(self, now: Iterable[str]) -> Counted:
        """The records of which a worker's version counts, where not all of them are its own.

        :param now: who is in the places.
        """
        found: dict[str, tuple[int, int | None]] = {}
        for worker in now:
            after = 0
            for former, through in self._former.get(place_of(worker), ()):
                found[former] = after, through
                after = max(after, through)
            if after:
                found[worker] = after, None
        return found
