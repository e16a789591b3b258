"""Encode records that do not fit into one frame, one by one, into several arrays that do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from sk_kernel._wire.parts import head_of

_encode_into = msgspec.msgpack.Encoder().encode_into
_ROOM: Final = 5
"""The size of the longest array header, in bytes: one byte and a length of 32 bits."""


def portions(items: Sequence[Any], most_bytes: int) -> Iterator[tuple[slice, memoryview]]:
    """Yield slices of the items, each with the encoded array of its items.

    An array has at most ``most_bytes`` bytes, or just one item. Every item is encoded once; the
    exceptions of encoding propagate.
    """
    first, buffer = 0, bytearray(_ROOM)
    for number, item in enumerate(items):
        end = len(buffer)
        _encode_into(item, buffer, end)
        if len(buffer) > most_bytes and number > first:
            rest = buffer[end:]
            yield slice(first, number), _array(buffer, end, number - first)
            first, buffer = number, bytearray(_ROOM)
            buffer += rest
    if first < len(items):
        yield slice(first, len(items)), _array(buffer, len(buffer), len(items) - first)


def _array(buffer: bytearray, end: int, length: int) -> memoryview:
    """Write the array header into the space left free at the start of the buffer."""
    head = head_of(length)
    begin = _ROOM - len(head)
    buffer[begin:_ROOM] = head
    return memoryview(buffer)[begin:end]
