"""Which record is at fault where payloads cannot be sent or read: an error of its producer.

Slow, and only for what has failed; the messages hold nothing of a payload but the names of types.
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

#: In the texts of msgspec's errors: the declared type and what came in its place; where it was.
_TYPES: Final = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_WAY: Final = re.compile(r" - at `(key` in `)?\$([^`]*)`$")
#: So far into a payload is looked for what is wrong with it.
_DEEPEST: Final = 20
#: Types by the names that msgspec's texts have for them, and by Python's.
_WORDS: Final = {"object": "mapping", "array": "sequence", "null": "None"}

_encode = msgspec.msgpack.Encoder().encode
_decode_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def unsendable(section: Section) -> NodeOutputError | None:
    """The error of the first record of a section that MessagePack has no form for; else None."""
    refused = (
        _refused(section.producer, *each) for each in zip(section.keys, section.items, strict=True)
    )
    return next(filter(None, refused), None)


def require_carried(producer: str, key: Key, payload: Any) -> None:
    """Refuse a payload that MessagePack has no form for.

    :raises NodeOutputError: as where it is sent to another process.
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
    """What of a payload MessagePack has no form for: by its place and its class."""
    part, way = payload, ""
    for _ in range(_DEEPEST):
        inner = next((found for found in parts_of(part) or () if _is_uncarried(found[1])), None)
        if inner is None:
            break
        way, part = way + inner[0], inner[1]
    else:  # nested too deep, or in itself
        part, way = payload, ""
    where = f" with {way.lstrip('.').strip()}: {type(part).__qualname__}" if way else ""
    name = type(payload).__qualname__
    # As numbers and arrays of numpy's have, and those of its kind.
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
    """The error of the first record in an encoded array of them that is not as its class declares.

    None where no record is at fault: the bytes are no array, say.
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
            got, declared = found_in(payload.name, error)
            return NodeOutputError(producer, got, declared, root_of(key)).about(key)
    return None


def found_in(name: str, error: BaseException) -> tuple[str, str]:
    """(what was found in a record of the class ``name``, what the class declares or empty)."""
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
