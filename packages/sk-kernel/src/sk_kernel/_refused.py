"""Whose fault it is when payloads cannot be written or read: the producer's, named by record.

Slow, and only for what has failed; the messages hold nothing of a payload but the names of types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from sk_kernel._batch import Section
from sk_kernel._envelope import Key, root_of
from sk_kernel._specs import PayloadType
from sk_kernel.errors import NodeOutputError

#: What msgspec raises of an object of no known type, a lone surrogate, an integer over 64 bits.
UNSENDABLE: Final = (TypeError, ValueError, OverflowError, RecursionError)
#: In msgspec's words: a declared type, what came in its place, and the way to it.
_TYPES: Final = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_WAY: Final = re.compile(r" - at `(key` in `)?\$([^`]*)`$")
#: What JSON calls otherwise than Python does.
_WORDS: Final = {"object": "mapping", "array": "sequence", "null": "None"}

_encode = msgspec.msgpack.Encoder().encode
_decode_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def unsendable(section: Section) -> NodeOutputError | None:
    """The first record of a section that MessagePack has no form for."""
    for key, item in zip(section.keys, section.items, strict=True):
        try:
            _encode(item)
        except UNSENDABLE as error:
            got = f"{section.payload.name} that MessagePack cannot carry ({type(error).__name__})"
            return NodeOutputError(section.producer, got, "", root_of(key)).about(key)
    return None


def undeclared(
    producer: str, payload: PayloadType, keys: Sequence[Key], items: bytes
) -> NodeOutputError | None:
    """The first record, of an encoded column of them, that is not what its class declares.

    None where it is the column that is wrong.
    """
    try:
        rows = _decode_raw(items)
    except msgspec.DecodeError:
        return None
    decode = msgspec.msgpack.Decoder(payload.annotation).decode
    for key, row in zip(keys, rows, strict=False):
        try:
            decode(row)
        except Exception as error:  # noqa: BLE001 - and whatever a __post_init__ raises
            got, declared = _found(payload.name, error)
            return NodeOutputError(producer, got, declared, root_of(key)).about(key)
    return None


def _found(name: str, error: Exception) -> tuple[str, str]:
    """What there is of a class in a record, and what the class declares."""
    text = str(error) if isinstance(error, msgspec.ValidationError) else ""
    way = _WAY.search(text)
    # Where it has a cause it is in the words of a __post_init__, which may tell of the values.
    types = None if error.__cause__ else _TYPES.match(text)
    field = way[2].lstrip(".") if way else ""
    if field and way and way[1]:
        field = f"a key in {field}"
    if field and types:
        declared, got = (re.sub(r"\w+", _in_python, text) for text in types.groups())
        return f"{name} with {field}: {got}", f"{field}: {declared}"
    inner = f", for its {field}" if field else ""
    return f"{name} that the class refuses ({type(error).__name__}{inner})", ""


def _in_python(word: re.Match[str]) -> str:
    return _WORDS.get(word[0], word[0])
