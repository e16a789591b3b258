"""Join parts encoded before into MessagePack arrays, as few as a size limit allows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class WirePart(NamedTuple):
    """Encoded elements of an array, one after the other, and their number."""

    number: int
    elements: bytes


def part_of(array: bytes, count: int) -> WirePart:
    """Return the elements of an encoded array that has ``count`` of them."""
    return WirePart(count, array[len(head_of(count)) :])


def frames_of(parts: Iterable[WirePart], limit: int) -> Iterator[bytes]:
    """Yield the parts in order, joined into arrays of at most ``limit`` bytes each.

    A part is never divided: a part that alone exceeds the limit becomes an array of its own, which
    is larger than ``limit``.
    """
    held: list[bytes] = []
    count = size = 0
    for number, elements in parts:
        if held and len(head_of(count + number)) + size + len(elements) > limit:
            yield b"".join([head_of(count), *held])
            held, count, size = [], 0, 0
        held.append(elements)
        count, size = count + number, size + len(elements)
    if held:
        yield b"".join([head_of(count), *held])


def head_of(count: int) -> bytes:
    """Return the header of an array of ``count`` elements, as in MessagePack's specification."""
    if count < 1 << 4:
        return bytes((0x90 | count,))
    if count < 1 << 16:
        return b"\xdc" + count.to_bytes(2, "big")
    return b"\xdd" + count.to_bytes(4, "big")
