"""Encoding visits and answers as parts of frames; each that cannot be sent fails by itself."""

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
    """Encode a visit or an answer whose fields are in the order of its wire form.

    :raises NodeOutputError: when MessagePack cannot carry it; names the node that it comes from.
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
    """Encode all as one part, or, if that is too large or one cannot be sent, as one part each.

    :param sent: returns the fields of a visit or answer in the order of its wire form.
    :param limit: the maximum size of an array in bytes.
    :param instead: returns the bytes to send instead of one that cannot be sent, or None; its
        argument is the failure, caused by NodeOutputError or RecordTooLargeError.
    :param on_unsent: called with that error itself.
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
        del data  # it may be large
    parts: list[WirePart] = []
    for each in several:
        try:
            data = encoded(sent(each), each)
            if len(data) >= limit:  # one byte for the head of the array
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
