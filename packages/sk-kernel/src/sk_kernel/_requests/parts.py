"""Visits and answers to parts of frames; of those that cannot be sent each fails by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from sk_kernel._requests.visit import Answer, Visit
from sk_kernel._wire.codec_errors import UNSENDABLE
from sk_kernel._wire.parts import WirePart, part_of
from sk_kernel._wire.refused import uncarried
from sk_kernel.errors import NodeOutputError, RecordTooLargeError, RunError

T = TypeVar("T", Visit, Answer)

encode: Final = msgspec.msgpack.Encoder().encode


def encoded(wire: Sequence[Any], of: Visit | Answer) -> bytes:
    """The bytes of a visit or an answer that is in the order of its wire form.

    :raises NodeOutputError: when MessagePack has no form for it: of who gave it.
    """
    try:
        return encode(wire)
    except UNSENDABLE as error:
        raise NodeOutputError(of.origin, uncarried(of.payload, error), "") from error


def parts_of(
    several: Sequence[T],
    sent: Callable[[T], tuple[Any, ...]],
    limit: int,
    instead: Callable[[Answer], bytes | None],
    on_unsent: Callable[[RunError], object] | None = None,
) -> list[WirePart]:
    """All as one part, or, where they do not fit or one cannot be sent, a part for each.

    :param sent: puts one of them in the order of its wire form.
    :param limit: of the bytes of an array.
    :param instead: gives what to send in the place of one that cannot be sent, if anything, of the
        failure that it is: its cause is NodeOutputError or RecordTooLargeError.
    :param on_unsent: is called with that error itself.
    """
    if not several:
        return []
    try:
        data = encoded([sent(each) for each in several], several[0])
    except NodeOutputError:
        pass
    else:
        if len(data) <= limit:
            return [part_of(data, len(several))]
        del data  # which may be large
    parts: list[WirePart] = []
    for each in several:
        try:
            data = encoded(sent(each), each)
            if len(data) >= limit:  # the head of its array takes a byte, too
                raise RecordTooLargeError(each.origin, -1, len(data), limit)
        except (NodeOutputError, RecordTooLargeError) as error:
            if on_unsent is not None:
                on_unsent(error)
            cause = type(error).__name__
            failure = Answer(each.request, each.weight, node=each.origin, cause_type=cause)
            replaced = instead(failure)
            if replaced is not None:
                parts.append(WirePart(1, replaced))
        else:
            parts.append(WirePart(1, data))
    return parts
