"""Visits and answers become parts of frames; what cannot be sent fails, each by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from sk_kernel._visit import Answer, Visit
from sk_kernel._wire_parts import WirePart, part_of
from sk_kernel.errors import RecordTooLargeError, WireError

T = TypeVar("T", Visit, Answer)

encode: Final = msgspec.msgpack.Encoder().encode

#: What msgspec raises of an object of no known type, a lone surrogate, an integer over 64 bits; in
#: a payload or in what is said of it.
_UNSENDABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)


def encoded(wire: Sequence[Any], payload: Any) -> bytes:
    """The bytes of a form.

    :raises WireError: when MessagePack has none for its ``payload``, or what is said of it.
    """
    try:
        return encode(wire)
    except _UNSENDABLE as error:
        raise WireError(f"{type(payload).__qualname__} ({type(error).__name__})") from error


def parts_of(
    several: Sequence[T],
    sent: Callable[[T], tuple[Any, ...]],
    limit: int,
    instead: Callable[[Answer], bytes | None],
) -> list[WirePart]:
    """All as one part, where that can be; else each by itself, and what ``instead`` gives for one
    that cannot be sent.
    """
    if not several:
        return []
    try:
        data = encoded([sent(each) for each in several], several[0].payload)
    except WireError:
        pass
    else:
        if len(data) <= limit:
            return [part_of(data, len(several))]
        del data  # which may be large
    parts: list[WirePart] = []
    for each in several:
        try:
            data = encoded(sent(each), each.payload)
            if len(data) >= limit:  # there is a byte before it
                raise RecordTooLargeError(each.origin, 0, len(data), limit)
        except (WireError, RecordTooLargeError) as error:
            cause = type(error).__name__
            failure = Answer(each.request, each.weight, node=each.origin, cause_type=cause)
            replaced = instead(failure)
            if replaced is not None:
                parts.append(WirePart(1, replaced))
        else:
            parts.append(WirePart(1, data))
    return parts
