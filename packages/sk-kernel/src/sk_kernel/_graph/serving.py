"""The adapters of a run without input: it serves requests, and their callers get what comes out.

They are always there, by the names ``requests`` and ``replies``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from threading import Event
from typing import Any, Final

from msgspec.structs import replace

from sk_kernel._declare.specs import Emission, SinkSpec, SourceSpec


class RequestSource:
    """An unbounded source that gives nothing, and ends when it is interrupted."""

    def __init__(self) -> None:
        self._ended = Event()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Block until :meth:`interrupt`; there are no records."""
        self._ended.wait()
        return ()

    def interrupt(self) -> None:
        """End the input."""
        self._ended.set()


class ReplySink:
    """A sink for whatever no node consumes.

    Of a request that is the reply, which goes to its caller and not into the sink. Of a source's
    records it is dropped, and counted.
    """

    def __init__(self) -> None:
        self._dropped = 0

    def write(self, chunk: Sequence[Any]) -> None:
        """Drop what nobody has asked for."""
        self._dropped += len(chunk)

    def summary(self) -> dict[str, int]:
        """How many records were nobody's reply, if any."""
        return {"dropped_unrequested": self._dropped} if self._dropped else {}


REQUESTS: Final = SourceSpec(
    "requests", RequestSource, True, None, Emission(), None, unbounded=True
)
"""The source of a run that only serves requests; nodes that nothing emits for are its entrances."""

REPLIES: Final = SinkSpec("replies", ReplySink, True, None, Emission(), None)
"""The sink that takes every type that no node consumes."""


def is_request_source(spec: SourceSpec) -> bool:
    """Whether a run with this source only serves requests."""
    return spec.target is RequestSource


def is_reply_sink(spec: SinkSpec) -> bool:
    """Whether this is the sink of whatever no node consumes."""
    return spec.target is ReplySink


def replies_of(emitted: Iterable[Emission], consumed: Container[type]) -> SinkSpec:
    """:data:`REPLIES` for a graph in which nodes consume these classes, or bases of theirs."""
    types = dict.fromkeys(payload for each in emitted for payload in each.types)
    left = tuple(t for t in types if not any(base in consumed for base in t.cls.__mro__))
    return replace(REPLIES, payload=Emission(left))
