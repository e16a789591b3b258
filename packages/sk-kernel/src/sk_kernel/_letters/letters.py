"""A dead letter: a payload on which a node raised, with the data that replaying it needs.

Each is one line of JSON. The payload is in MessagePack, as between processes, and in Base64. Only
the type of the node's exception is included: its text may contain a part of the payload, or a
secret.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sk_kernel._declare.specs import PayloadType
from sk_kernel._graph.entrances import entrances_of
from sk_kernel._graph.graph import Edge, Graph
from sk_kernel._record.envelope import Key
from sk_kernel._wire.codec_errors import UNREADABLE, UNSENDABLE
from sk_kernel.errors import DeadLetterError

#: The sort key of dead letters in their file, which is unique within a run.
SortKey = tuple[int, str, tuple[int, ...]]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that a node gave up.

    - ``sequence`` is the number of the source's record; ``key`` is the record's place in the run's
      order, which begins with ``sequence``.
    - ``type`` is the payload's class, by module and name.
    - ``cause`` is the type of the exception at the last of the ``attempts``.
    - ``reply_to`` and ``headers`` are those that envelopes have set.
    """

    version: Literal[1] = 1
    sequence: int
    node: str
    cause: str
    attempts: int
    trace_id: str
    run_id: str
    key: tuple[int, ...]
    type: str
    payload: bytes
    reply_to: str | None = None
    headers: dict[str, str] = {}


class _SortFields(msgspec.Struct):
    sequence: int
    node: str
    key: tuple[int, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(DeadLetter).decode
_decode_sort_fields = msgspec.json.Decoder(_SortFields).decode
_encode_payload = msgspec.msgpack.Encoder().encode


def written_letter(letter: DeadLetter) -> bytes:
    """Return a dead letter as a line."""
    return _encode(letter) + b"\n"


def read_letter(line: bytes) -> DeadLetter:
    """Return the dead letter in a line.

    :raises DeadLetterError: when the line is no dead letter; the message contains no part of it.
    """
    try:
        return _decode(line)
    except UNREADABLE as error:
        raise DeadLetterError("read", "a line", _problem(error)) from None


def sort_key_of(line: bytes) -> SortKey:
    """Return the sort key of a line.

    :raises DeadLetterError: when the line is no dead letter.
    """
    try:
        found = _decode_sort_fields(line)
    except UNREADABLE as error:
        raise DeadLetterError("read", "a line", _problem(error)) from None
    return found.sequence, found.node, found.key


def _problem(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return "it is no dead letter"  # msgspec's own message may contain words of the line
    return str(error) if isinstance(error, msgspec.DecodeError) else "it is no JSON text"


def payload_bytes(node: str, sequence: int, payload: Any) -> bytes:
    """Encode a payload as between processes.

    :raises DeadLetterError: when MessagePack cannot carry it.
    """
    try:
        return _encode_payload(payload)
    except UNSENDABLE as error:
        what = f"record {sequence}, given up by node {node!r}"
        raise DeadLetterError("encode", what, type(error).__name__) from error


def payload_of(graph: Graph, letter: DeadLetter) -> tuple[Edge, Any]:
    """Return the payload of a dead letter, and an edge by which it may have come to its node.

    The edge may be one for requests.

    :raises DeadLetterError: when the graph has no such node or type, or decoding fails.
    """
    what = f"the letter of record {letter.sequence} to node {letter.node!r}"
    for edge in (*graph.edges, *entrances_of(graph).values()):
        if edge.consumer == letter.node and type_name(edge.payload) == letter.type:
            try:
                decoder = msgspec.msgpack.Decoder(edge.payload.annotation)
                return edge, decoder.decode(letter.payload)
            except Exception as error:
                # Arbitrary bytes, or the __post_init__ of a payload, may raise anything.
                raise DeadLetterError("decode", what, type(error).__name__) from error
    raise DeadLetterError("place", what, f"no node {letter.node!r} is given {letter.type} here")


def type_name(payload: PayloadType) -> str:
    """Return the name of a payload type in dead letters."""
    return class_name(payload.cls)


def class_name(cls: type) -> str:
    """Return the name of a class in dead letters."""
    return f"{cls.__module__}.{cls.__qualname__}"


def whole_key(key: Key) -> tuple[int, ...]:
    """Return a key in the form of dead letters: always a tuple."""
    return key if isinstance(key, tuple) else (key,)
