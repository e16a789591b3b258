"""Find the record at fault when payloads cannot be encoded or decoded: an error of its producer.

This is slow, and only runs after a failure. Messages contain nothing of a payload except the names
of types and fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sk_kernel._batch.batch import Section
from sk_kernel._declare.specs import PayloadType
from sk_kernel._record.envelope import Key, root_of
from sk_kernel._wire.codec_errors import UNSENDABLE
from sk_kernel._wire.inside import parts_of
from sk_kernel.errors import NodeOutputError

#: Patterns for msgspec's error texts: the declared type and the one found; the place.
_TYPES: Final = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_WAY: Final = re.compile(r" - at `(key` in `)?\$([^`]*)`$")
#: The greatest depth to which a payload is searched for the faulty part.
_DEEPEST: Final = 20
#: msgspec's names of types, and the Python terms that messages use instead.
_WORDS: Final = {"object": "mapping", "array": "sequence", "null": "None"}

_encode = msgspec.msgpack.Encoder().encode
_decode_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def unsendable(section: Section) -> NodeOutputError | None:
    """Return the error of the first record in a section that MessagePack cannot carry, or None."""
    refused = (
        _refused(section.producer, *each) for each in zip(section.keys, section.items, strict=True)
    )
    return next(filter(None, refused), None)


def require_carried(producer: str, key: Key, payload: Any) -> None:
    """Check that MessagePack can carry a payload.

    :raises NodeOutputError: when it cannot; the same error as for sending it to another process.
    """
    if error := _refused(producer, key, payload):
        raise error


def _refused(producer: str, key: Key, payload: Any) -> NodeOutputError | None:
    try:
        _encode(payload)
    except UNSENDABLE as error:
        return NodeOutputError(producer, uncarried(payload, error), "", root_of(key)).about(key)
    return None


def uncarried(payload: Any, error: Exception) -> str:
    """Describe the part of a payload that MessagePack cannot carry, by its place and its class."""
    part, way = payload, ""
    for _ in range(_DEEPEST):
        inner = next((found for found in parts_of(part) or () if _is_uncarried(found[1])), None)
        if inner is None:
            break
        way, part = way + inner[0], inner[1]
    else:  # nested too deep, or contains itself
        part, way = payload, ""
    where = f" with {way.lstrip('.').strip()}: {type(part).__qualname__}" if way else ""
    name = type(payload).__qualname__
    # The numbers and arrays of numpy and similar libraries have this method.
    foreign = callable(getattr(type(part), "tolist", None))
    cure = "; its .tolist() gives Python's own" if foreign else ""
    return f"{name}{where} that MessagePack cannot carry ({type(error).__name__}{cure})"


def _is_uncarried(part: Any) -> bool:
    try:
        _encode(part)
    except UNSENDABLE:
        return True
    return False


def undeclared(
    producer: str, payload: PayloadType, keys: Sequence[Key], items: memoryview
) -> NodeOutputError | None:
    """Return the error of the first record in an encoded array that does not match its class.

    Returns None if no record is at fault, for example when the bytes are not an array.
    """
    try:
        rows = _decode_raw(items)
    except msgspec.DecodeError:
        return None
    decode = msgspec.msgpack.Decoder(payload.annotation).decode
    for key, row in zip(keys, rows, strict=False):
        try:
            decode(row)
        except Exception as error:  # noqa: BLE001 - a __post_init__ may raise anything
            got, declared = found_in(payload.name, error)
            return NodeOutputError(producer, got, declared, root_of(key)).about(key)
    return None


def found_in(name: str, error: BaseException) -> tuple[str, str]:
    """Return (what was found in a record of class ``name``, what the class declares or empty)."""
    text = str(error) if isinstance(error, msgspec.ValidationError) else ""
    way = _WAY.search(text)
    # An error with a cause has the text of a __post_init__, which may contain values.
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
