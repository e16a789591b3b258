"""Encoding and decoding of message bodies. Fields have the same names in Python and protobuf."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError, Message
from sk_transport import Secret, UnusableSecretError

from sk_control import _messages as m
from sk_control import _reports as r
from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._codes import RefusalCode
from sk_control._kinds import MessageKind
from sk_control._metering import Metering
from sk_control._pb import control_pb2 as pb
from sk_control.errors import InvalidFieldError, MessageRefusedError

_TYPES: Final[Mapping[MessageKind, tuple[type[Any], type[Message]]]] = {
    MessageKind.HELLO: (m.Hello, pb.Hello),
    MessageKind.BOOTSTRAP_BUNDLE: (m.BootstrapBundle, pb.BootstrapBundle),
    MessageKind.BUNDLE_ACK: (m.BundleAck, pb.BundleAck),
    MessageKind.READY: (m.Ready, pb.Ready),
    MessageKind.HEARTBEAT: (r.Heartbeat, pb.Heartbeat),
    MessageKind.PROGRESS: (r.Progress, pb.Progress),
    MessageKind.START_WORK: (m.StartWork, pb.StartWork),
    MessageKind.STOP: (m.Stop, pb.Stop),
    MessageKind.STOP_ACK: (m.StopAck, pb.StopAck),
    MessageKind.DRAINED: (r.Drained, pb.Drained),
    MessageKind.FAILED: (r.Failed, pb.Failed),
    MessageKind.PEER_REPLACED: (m.PeerReplaced, pb.PeerReplaced),
    MessageKind.SPAN_COUNTS: (r.SpanCounts, pb.SpanCounts),
}
_NESTED: Final[Mapping[type[Any], type[Message]]] = {
    r.Progress: pb.Progress,
    Metering: pb.Metering,
}
_KIND_OF: Final = {python_type: kind for kind, (python_type, _) in _TYPES.items()}


def kind_of(message: m.ControlMessage) -> MessageKind:
    """Return the kind of a message; raises `TypeError` for any other object."""
    try:
        return _KIND_OF[type(message)]
    except KeyError:
        raise TypeError(f"not a control message: {type(message).__name__}") from None


def encode(message: m.ControlMessage) -> tuple[MessageKind, bytes]:
    """Return the kind and the serialised body of a message; equal messages give equal bytes.

    Raises `TypeError` for an object that is not a message.
    """
    kind = kind_of(message)
    return kind, _to_wire(message, _TYPES[kind][1]).SerializeToString(deterministic=True)


def decode(kind: int, body: bytes) -> m.ControlMessage:
    """Parse and check a message body.

    For any bytes it raises no other error than `MessageRefusedError` (`unknown_kind`,
    `undecodable`, `bad_field`). Unknown fields, which a later release may add, are ignored.
    """
    try:
        python_type, wire_type = _TYPES[MessageKind(kind)]
    except (ValueError, KeyError):
        raise MessageRefusedError(RefusalCode.UNKNOWN_KIND) from None
    wire = wire_type()
    try:
        wire.ParseFromString(body)
    except (DecodeError, RecursionError):
        detail = f"body is no {MessageKind(kind).label}"
        raise MessageRefusedError(RefusalCode.UNDECODABLE, detail=detail) from None
    try:
        message: m.ControlMessage = _from_wire(wire, python_type)
    except InvalidFieldError as fault:
        raise MessageRefusedError(RefusalCode.BAD_FIELD, detail=str(fault)) from None
    return message


def _to_wire(message: Any, wire_type: type[Message]) -> Message:
    fields = {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}
    for name, value in fields.items():
        if isinstance(value, BootstrapKeyBundle):
            fields[name] = {key: secret.reveal() for key, secret in value.items()}
        elif type(value) in _NESTED:
            fields[name] = _to_wire(value, _NESTED[type(value)])
        elif name == "exporters":
            fields[name] = [_to_wire(one, pb.ExporterCounts) for one in value]
    return wire_type(**fields)


def _from_wire(wire: Message, python_type: type[Any]) -> Any:
    fields = {f.name: getattr(wire, f.name) for f in dataclasses.fields(python_type)}
    for name in fields.keys() & _SPECIAL.keys():
        fields[name] = _SPECIAL[name](wire, fields[name])
    return python_type(**fields)


def _optional(name: str, python_type: type[Any] | None = None) -> Callable[[Any, Any], Any]:
    """Return a reader of an optional field, whose value is None if the field is not set."""

    def read(wire: Any, value: Any) -> Any:
        if not wire.HasField(name):
            return None
        return value if python_type is None else _from_wire(value, python_type)

    return read


def _keys(_wire: Any, value: Mapping[str, bytes]) -> BootstrapKeyBundle:
    try:
        return BootstrapKeyBundle({name: Secret(key) for name, key in value.items()})
    except UnusableSecretError:
        raise InvalidFieldError("bootstrap_bundle", "keys", "keys that are secrets") from None


def _outcome(_wire: Any, value: int) -> r.DrainOutcome:
    try:
        return r.DrainOutcome(value)
    except ValueError:
        raise InvalidFieldError("drained", "outcome", "a known outcome") from None


def _exporters(_wire: Any, value: Any) -> tuple[r.ExporterCounts, ...]:
    return tuple(_from_wire(one, r.ExporterCounts) for one in value)


def _tuple(_wire: Any, value: Any) -> tuple[Any, ...]:
    return tuple(value)


def _dict(_wire: Any, value: Any) -> dict[str, int]:
    return dict(value)


# Readers of the fields whose values in Python differ from those in protobuf, by field name. A name
# has the same meaning in every message.
_SPECIAL: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "protocol_versions": _tuple,
    "discovery_modules": _tuple,
    "partial_outputs": _tuple,
    "keys": _keys,
    "progress": _optional("progress", r.Progress),
    "metering": _optional("metering", Metering),
    "credit": _optional("credit"),
    "batch_counts": _tuple,
    "latency_counts": _tuple,
    "outcome": _outcome,
    "counters": _dict,
    "dropped": _dict,
    "exporters": _exporters,
}
