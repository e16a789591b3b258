"""What the nodes of random graphs do: a function of their input and their states, and no more."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import msgspec

TYPES = 5


class Payload(msgspec.Struct, frozen=True):
    """What travels; only nodes that move it change its ``key``."""

    n: int
    key: str
    text: str = ""


PAYLOADS: list[type[Any]] = [
    msgspec.defstruct(f"P{i}", [], bases=(Payload,), frozen=True, module=__name__)
    for i in range(TYPES)
]
globals().update({cls.__name__: cls for cls in PAYLOADS})


class Numbers(msgspec.Struct):
    """Of the source: how many records, of how many keys."""

    count: int
    keys: int


class Target(msgspec.Struct):
    """Of the sink: its file."""

    path: str


def given(settings: Numbers) -> list[Any]:
    """What the source gives."""
    return [
        PAYLOADS[0](n, f"k{crc32(b'%d' % n) % settings.keys}", f"in{n}")
        for n in range(settings.count)
    ]


def behave(
    name: str,
    kind: str,
    emits: tuple[int, ...],
    moves: bool,
    payload: Any,
    logs: list[dict[str, list[int]]],
) -> Any:
    """What a node makes of a payload, and of what its states have seen under its key."""
    seen = [log.get(payload.key, []) for log in logs]
    chance = crc32(f"{name} {type(payload).__name__} {payload} {seen}".encode())
    for log in logs:
        log[payload.key] = [*log.get(payload.key, [])[-2:], chance % 89]
    if kind == "maybe" and chance % 3 == 0:
        return None
    if kind == "many":
        return [
            _one(name, emits, moves, payload, crc32(b"%d %d" % (chance, i)))
            for i in range(chance % 3)
        ]
    return _one(name, emits, moves, payload, chance)


def _one(name: str, emits: tuple[int, ...], moves: bool, payload: Any, chance: int) -> Any:
    key = f"k{chance % 12}" if moves and chance % 4 == 0 else payload.key
    return PAYLOADS[emits[chance % len(emits)]](payload.n, key, f"{name}:{chance}")


def end(emits: tuple[int, ...], count: int) -> Any:
    """What a node gives at the end of input."""
    return PAYLOADS[emits[0]](-1, "end", f"end {count}")
