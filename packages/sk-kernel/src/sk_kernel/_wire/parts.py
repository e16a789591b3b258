"""MessagePack arrays of what was encoded before, part by part: as few as a limit allows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class WirePart(NamedTuple):
    """So many elements of an array, encoded, one behind the other."""

    number: int
    elements: bytes


def part_of(array: bytes, count: int) -> WirePart:
    """The elements of an encoded array that has so many."""
    return WirePart(count, array[len(head_of(count)) :])


def frames_of(parts: Iterable[WirePart], limit: int) -> Iterator[bytes]:
    """The parts in order, as arrays of at most ``limit`` bytes each.

    A part is never divided: one that is larger, with the one byte before it, is so by itself.
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
    """What stands before the elements of an array that has so many: see MessagePack's formats."""
    if count < 1 << 4:
        return bytes((0x90 | count,))
    if count < 1 << 16:
        return b"\xdc" + count.to_bytes(2, "big")
    return b"\xdd" + count.to_bytes(4, "big")
