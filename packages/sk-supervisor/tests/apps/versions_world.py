"""A run in which workers are replaced, record by record: every batch says who has made it.

What comes to the sink tells whose versions the output is made of, which the hub cannot see. Workers
take batches as they do in earnest, by an :class:`Aligner`; links and the hub are lists. A batch is
one record, and its number is the record's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sk_supervisor._hub.versions import Route, Versions
from sk_supervisor._protocol.worker_ids import index_of, place_of
from sk_supervisor._worker.align import Aligner

#: A worker, its segment, and the segment that it made something for.
Made = tuple[str, int, int]


class Shape(NamedTuple):
    """Segments by their index: the group of each, and those that follow. The last has the sink."""

    groups: tuple[str, ...]
    downstream: tuple[tuple[int, ...], ...]
    workers: Mapping[str, int]
    """Of the groups that may be restarted."""

    def places(self, segment: int) -> list[str]:
        group = self.groups[segment]
        return [f"{group}-{i}" for i in range(self.workers.get(group, 1))]

    def routes(self) -> Iterator[Route]:
        for segment, following in enumerate(self.downstream):
            for target in following:
                for sender in self.places(segment):
                    for receiver in self.places(target):
                        yield Route(segment, sender, target, receiver)

    def upstream(self, segment: int) -> list[tuple[int, int]]:
        routes = self.routes()
        return list({(w.source, index_of(w.sender + ".1")) for w in routes if w.target == segment})


class Frame(NamedTuple):
    route: Route
    sender: str
    receiver: str
    batch: int
    makers: frozenset[Made]


class Turn(NamedTuple):
    """Its successor is in a worker's place."""

    worker: str


class Worker:
    """Runs the segments of its place; ``makers`` of what comes to the sink are those of a batch."""

    def __init__(self, world: World, name: str) -> None:
        self.name, self._world = name, world
        shape, place = world.shape, place_of(name)
        self._segments = [s for s in range(len(shape.groups)) if place in shape.places(s)]
        resumed = not name.endswith(".1")
        self._aligners = {
            s: Aligner[frozenset[Made]](shape.upstream(s), resumed=resumed)
            for s in self._segments
            if s
        }
        self._peers = dict(world.now)
        self._kept: list[Frame] = []
        self.inbox: deque[Frame | Turn] = deque()

    def take(self) -> None:
        """Take one thing out of the inbox, and run what is whole by it."""
        what = self.inbox.popleft()
        if isinstance(what, Turn):
            place = place_of(what.worker)
            self._peers[place] = what.worker
            for n, frame in enumerate(self._kept):
                if frame.route.receiver == place and frame.batch > self._world.acknowledged:
                    self._kept[n] = frame._replace(receiver=what.worker)
                    self._world.wire.append(self._kept[n])
            return
        upstream = what.route.source, index_of(what.sender)
        aligner = self._aligners[what.route.target]
        aligner.add(what.batch, upstream, what.makers, more=False, sender=what.sender)
        self._run_whole()

    def make(self, segment: int, batch: int, makers: frozenset[Made]) -> None:
        """Pass a segment's version of a batch on, by every route."""
        place = place_of(self.name)
        for route in self._world.shape.routes():
            if (route.source, route.sender) != (segment, place):
                continue
            made = makers | {(self.name, segment, route.target)}
            if route.receiver == place:
                upstream = segment, index_of(self.name)
                self._aligners[route.target].add(batch, upstream, made, more=False)
            else:
                frame = Frame(route, self.name, self._peers[route.receiver], batch, made)
                self._kept.append(frame)
                self._world.wire.append(frame)
        if segment == len(self._world.shape.groups) - 1:
            self._world.acknowledged = batch
            self._world.output[batch] = makers

    def _run_whole(self) -> None:
        again = True
        while again:
            again = False
            for segment, aligner in self._aligners.items():
                for batch, parts in aligner.ready():
                    self.make(segment, batch, frozenset().union(*parts))
                    again = True


class World:
    """One run. ``output`` is who has made what of each record, as the sink has it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        every = sorted({place for s in range(len(shape.groups)) for place in shape.places(s)})
        self.restartable = [p for p in every if p.rpartition("-")[0] in shape.workers]
        self.versions = Versions(shape.routes(), self.restartable)
        self.now = {place: f"{place}.1" for place in every}
        self.wire: list[Frame] = []
        self.output: dict[int, frozenset[Made]] = {}
        self.read = self.acknowledged = 0
        self.every = [f"{place}.1" for place in every]
        self._workers = {place: Worker(self, name) for place, name in self.now.items()}

    def feed(self) -> None:
        """The source gives a record."""
        self.read += 1
        self._workers[self.shape.places(0)[0]].make(0, self.read, frozenset())

    def relay(self, sender: str, most: int = 1) -> None:
        """The hub takes the next frames of whoever is in a place."""
        for frame in [frame for frame in self.wire if frame.route.sender == sender][:most]:
            self.wire.remove(frame)
            if self.now[frame.route.receiver] == frame.receiver:
                self.versions.passed(frame.route, frame.batch)
                self._workers[frame.route.receiver].inbox.append(frame)

    def work(self, place: str, most: int = 1) -> None:
        """Whoever is in a place takes what has come next."""
        worker = self._workers[place]
        for _ in range(min(most, len(worker.inbox))):
            worker.take()

    def replace(self, place: str) -> None:
        """A worker is lost, with all that it had and all that the hub has not taken of it."""
        group, number = self.now[place].rsplit(".", 1)
        name = f"{group}.{int(number) + 1}"
        self.every.append(name)
        self.now[place] = name
        self.wire = [frame for frame in self.wire if frame.route.sender != place]
        self.versions.handed_over(name)
        self._workers[place] = Worker(self, name)
        senders = {w.sender for w in self.shape.routes() if w.receiver == place != w.sender}
        for sender in sorted(senders):
            self._workers[sender].inbox.append(Turn(name))

    def finish(self) -> None:
        """Go on until the sink has all; what is not needed for that is left undone."""
        while self.acknowledged < self.read:
            for place in self.now:
                self.relay(place)
                self.work(place)

    def made(self) -> Iterator[tuple[str, Route]]:
        """Every worker that was there and could be replaced, with each route out of it."""
        for route in self.shape.routes():
            for worker in self.every:
                if route.sender in self.restartable and place_of(worker) == route.sender:
                    yield worker, route
