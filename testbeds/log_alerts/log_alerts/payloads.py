"""What goes from node to node."""

from __future__ import annotations

from msgspec import Struct


class LogLine(Struct, frozen=True):
    """One line of the log, without its end, counted from 1."""

    number: int
    text: str


class Access(Struct, frozen=True):
    """A host answered a request in so many milliseconds; ``at`` is in seconds."""

    host: str
    at: int
    path: str
    millis: int


class Failure(Struct, frozen=True):
    """A host reported an error."""

    host: str
    at: int
    text: str


class Garbled(Struct, frozen=True):
    """A line that is neither."""

    number: int


class Incident(Struct, frozen=True):
    """Something on a host that a person may want to hear of."""

    host: str
    at: int
    what: str


class Alert(Struct, frozen=True):
    """What a person hears of, and how many incidents were kept quiet before it."""

    host: str
    at: int
    what: str
    withheld: int


class Summary(Struct, frozen=True):
    """What the whole log came to."""

    accesses: int
    failures: int
    garbled: int


class Message(Struct, frozen=True):
    """One line of the output."""

    text: str
