"""Records that are too many for one frame, encoded one by one into arrays that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from sk_kernel._wire.parts import head_of

_encode_into = msgspec.msgpack.Encoder().encode_into
_ROOM: Final = 5
"""The longest head of an array: a byte, and a length of 32 bits."""


def portions(items: Sequence[Any], most_bytes: int) -> Iterator[tuple[slice, memoryview]]:
    """The items in runs, with each run encoded as an array: of at most so many bytes, or one item.

    Every item is encoded once. Raises what encoding it raises.
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
    """Put the head before what has been left free for it."""
    head = head_of(length)
    begin = _ROOM - len(head)
    buffer[begin:_ROOM] = head
    return memoryview(buffer)[begin:end]
