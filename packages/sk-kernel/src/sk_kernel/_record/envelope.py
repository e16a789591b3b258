"""The envelope around a payload, and the fields of it that are carried beside the payload."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from sk_kernel._record.boundary import BoundaryDispatchInput

T = TypeVar("T")

Key = int | tuple[int, ...]
"""A record's place in the run's order: the sequence number of the source record that it comes from
or, in a graph that branches, that number followed by one index for each branching point.
"""

EMPTY_HEADERS: Mapping[str, str] = MappingProxyType({})


class Envelope(msgspec.Struct, Generic[T], frozen=True):
    """A payload with the metadata that its sender sets.

    A node or source whose return annotation is ``Envelope[T]`` returns one to name a ``target``
    among the consumers of the payload's type, or to set the record's ``trace_id``, ``reply_to`` or
    ``headers``. These three reach every downstream node, in any process; a later envelope overrides
    them, and headers one by one. Transport metadata (run, sequence, route, signature) is never in
    an envelope: a node that needs it takes a :class:`Context`.
    """

    payload: T
    trace_id: str | None = None
    target: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = EMPTY_HEADERS


class Correlation(msgspec.Struct, frozen=True, array_like=True):
    """The metadata that envelopes set on a record, carried beside the payload over every hop.

    ``traced_by`` is the node that set the trace id; None when the source set it, or nothing did.
    ``caller`` is the ``traceparent`` that came with a request or a source's record; only the first
    record has it.
    """

    trace_id: str | None = None
    reply_to: str | None = None
    headers: dict[str, str] = {}
    traced_by: str | None = None
    caller: str | None = None

    def updated(self, envelope: Envelope[object], sender: str | None = None) -> Correlation:
        """Return this correlation overridden with the fields that ``envelope`` sets."""
        renamed = envelope.trace_id not in (None, "", self.trace_id)
        return Correlation(
            envelope.trace_id or self.trace_id,
            envelope.reply_to or self.reply_to,
            {**self.headers, **envelope.headers},
            sender if renamed else self.traced_by,
        )


def unfit_in(said: Envelope[object] | BoundaryDispatchInput) -> str:
    """Describe what is wrong with the metadata of a payload; empty if nothing is.

    All metadata must be text that UTF-8 can encode, since it may be sent to another process; an
    envelope is not checked when it is made. The result is part of an error message, for example
    ``a target that is no text``.
    """
    headers = said.headers
    return unfit_name_in(said) or ("" if headers is EMPTY_HEADERS else unfit_headers(headers))


def unfit_name_in(said: Envelope[object] | BoundaryDispatchInput) -> str:
    """Like :func:`unfit_in`, but for ``trace_id``, ``target`` and ``reply_to`` only."""
    if said.trace_id is not None and not _is_text(said.trace_id):
        return "a trace_id that is no text"
    if said.target is not None and not _is_text(said.target):
        return "a target that is no text"
    if said.reply_to is not None and not _is_text(said.reply_to):
        return "a reply_to that is no text"
    return ""


def unfit_headers(headers: Mapping[str, str]) -> str:
    """Like :func:`unfit_in`, but for headers only."""
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
    """Return the source's sequence number, with which a record's key begins."""
    return key if isinstance(key, int) else key[0]
