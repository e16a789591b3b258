"""The envelope around a payload, and what of it is carried beside the payload."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from sk_kernel._record.boundary import BoundaryDispatchInput

T = TypeVar("T")

Key = int | tuple[int, ...]
"""A record's place in the run's order: the sequence number of the source record that it comes from,
or, in a graph that branches, that number followed by one index for each branching point.
"""

EMPTY_HEADERS: Mapping[str, str] = MappingProxyType({})


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """A payload with what a sender may say about it.

    A node or a source returns one, where its annotation says ``Envelope[T]``, to name a ``target``
    among the consumers of the payload's type, or to give the record a ``trace_id``, a ``reply_to``
    or ``headers`` of its own. Those three reach every node behind it, in whichever process that
    runs; a later envelope's go over them, headers one by one. Transport metadata (run, sequence,
    route, signature) is never in here: a node that wants to know asks for a :class:`Context`.
    """

    payload: T
    trace_id: str | None = None
    target: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = EMPTY_HEADERS


class Correlation(msgspec.Struct, frozen=True, array_like=True):
    """What envelopes said about a record, carried beside the payload over every hop.

    ``traced_by`` is the node that gave the trace id; None when the source did, or nobody. Of a
    request's first record ``caller`` is the ``traceparent`` that came with it.
    """

    trace_id: str | None = None
    reply_to: str | None = None
    headers: dict[str, str] = {}
    traced_by: str | None = None
    caller: str | None = None

    def updated(self, envelope: Envelope[object], sender: str | None = None) -> Correlation:
        """This correlation with whatever ``envelope`` sets put over it."""
        renamed = envelope.trace_id not in (None, "", self.trace_id)
        return Correlation(
            envelope.trace_id or self.trace_id,
            envelope.reply_to or self.reply_to,
            {**self.headers, **envelope.headers},
            sender if renamed else self.traced_by,
        )


def unfit_in(said: Envelope[object] | BoundaryDispatchInput) -> str:
    """What is wrong with what is said of a payload; empty where nothing is.

    All of it must be text that UTF-8 has a form for, since an envelope is not checked as it is made
    and another process could not be told. Gives ``a target that is no text``, for a message.
    """
    headers = said.headers
    return unfit_name_in(said) or ("" if headers is EMPTY_HEADERS else unfit_headers(headers))


def unfit_name_in(said: Envelope[object] | BoundaryDispatchInput) -> str:
    """As :func:`unfit_in`, of ``trace_id``, ``target`` and ``reply_to`` only."""
    if said.trace_id is not None and not _is_text(said.trace_id):
        return "a trace_id that is no text"
    if said.target is not None and not _is_text(said.target):
        return "a target that is no text"
    if said.reply_to is not None and not _is_text(said.reply_to):
        return "a reply_to that is no text"
    return ""


def unfit_headers(headers: Mapping[str, str]) -> str:
    """As :func:`unfit_in`, of headers only."""
    if isinstance(headers, Mapping) and all(map(_is_text, (*headers, *headers.values()))):
        return ""
    return "headers that are not all text"


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


NO_CORRELATION = Correlation()


def root_of(key: Key) -> int:
    """The source sequence number that a record's key begins with."""
    return key if isinstance(key, int) else key[0]
