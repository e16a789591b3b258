"""The built-in source and sink of a run that only serves requests.

Every application can choose them, by the names ``requests`` and ``replies``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from threading import Event
from typing import Any, Final

from msgspec.structs import replace

from sk_kernel._declare.specs import Emission, SinkSpec, SourceSpec


class RequestSource:
    """An unbounded source that emits no records and ends when it is interrupted."""

    def __init__(self) -> None:
        self._ended = Event()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Any]:
        """Block until :meth:`interrupt` is called, and return no records."""
        self._ended.wait()
        return ()

    def interrupt(self) -> None:
        """End the input."""
        self._ended.set()


class ReplySink:
    """A sink for payloads that no node consumes.

    Such a payload of a request is its reply, which goes to the caller and not into this sink. Such
    a payload of a source's record is dropped and counted here.
    """

    def __init__(self) -> None:
        self._dropped = 0

    def write(self, chunk: Sequence[Any]) -> None:
        """Drop payloads that no request asked for, and count them."""
        self._dropped += len(chunk)

    def summary(self) -> dict[str, int]:
        """Return the number of dropped payloads, if any."""
        return {"dropped_unrequested": self._dropped} if self._dropped else {}


REQUESTS: Final = SourceSpec(
    "requests", RequestSource, True, None, Emission(), None, unbounded=True
)
"""The source of a run that only serves requests, which enter at nodes that no node emits to."""

REPLIES: Final = SinkSpec("replies", ReplySink, True, None, Emission(), None)
"""The sink that takes every type that no node consumes."""


def is_request_source(spec: SourceSpec) -> bool:
    """Whether a run with this source only serves requests."""
    return spec.target is RequestSource


def is_reply_sink(spec: SinkSpec) -> bool:
    """Whether this is the sink for payloads that no node consumes."""
    return spec.target is ReplySink


def replies_of(emitted: Iterable[Emission], consumed: Container[type]) -> SinkSpec:
    """Return :data:`REPLIES` for the emitted types of which nodes consume neither class nor base.

    :param consumed: the classes that the nodes consume.
    """
    types = dict.fromkeys(payload for each in emitted for payload in each.types)
    left = tuple(t for t in types if not any(base in consumed for base in t.cls.__mro__))
    return replace(REPLIES, payload=Emission(left))
