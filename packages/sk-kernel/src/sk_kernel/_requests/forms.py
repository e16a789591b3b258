"""The wire forms of visits and answers.

A visit is ``[request, weight, producer, type, consumer, key, correlation, sampled, due, payload]``,
an answer ``[request, weight, type, payload, node, cause, given up]``: MessagePack arrays, with
numbers for vertices and types as in batches. A frame is an array of visits or one of answers.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from sk_kernel._record.envelope import Correlation

_Index = Annotated[int, msgspec.Meta(ge=0)]
_Share = Annotated[int, msgspec.Meta(ge=0, le=1 << 60)]
_Nested = Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]


class WireVisit(msgspec.Struct, array_like=True, gc=False):
    """A visit, its payload still encoded."""

    request: str
    weight: _Share
    producer: _Index
    type: _Index
    consumer: _Index
    key: int | _Nested
    correlation: Correlation
    sampled: bool
    due: float
    payload: msgspec.Raw


class RawVisit(WireVisit, array_like=True, gc=False):
    """A visit whose correlation is still encoded, too, since it may be invalid."""

    correlation: msgspec.Raw  # type: ignore[assignment]


class WireAnswer(msgspec.Struct, array_like=True, gc=False):
    """An answer, its payload still encoded; ``type`` is None if it is not a reply."""

    request: str
    weight: _Share
    type: _Index | None
    payload: msgspec.Raw
    node: str
    cause_type: str
    is_policy_drop: bool = False


decode_visits = msgspec.msgpack.Decoder(list[WireVisit]).decode
decode_raw_visits = msgspec.msgpack.Decoder(list[RawVisit]).decode
decode_answers = msgspec.msgpack.Decoder(list[WireAnswer]).decode
decode_correlation = msgspec.msgpack.Decoder(Correlation).decode
