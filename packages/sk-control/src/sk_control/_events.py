"""The events that a control server reports."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._messages import ControlMessage, Hello
from sk_control._value import value


class LossReason(StrEnum):
    """The reason why a session ended early."""

    STREAM_ENDED = "stream_ended"
    """The peer is gone: it exited, was killed, or closed the stream before the session was over."""
    CLOSED_BY_SUPERVISOR = "closed_by_supervisor"
    """The supervisor closed its server. Only a worker's channel reports this."""
    BUNDLE_FAILED = "bundle_failed"
    """No bundle could be sent to the worker. Only a server reports this."""


@value(frozen=True, slots=True)
class WorkerHello:
    """A worker has proven that it holds its token; its bundle is sent next."""

    hello: Hello


@value(frozen=True, slots=True)
class WorkerMessage:
    """A worker sent a message that is authentic and in order."""

    worker_id: str
    message: ControlMessage


@value(frozen=True, slots=True)
class WorkerLost:
    """A worker's stream has ended without a `StopAck`.

    Reported at most once per worker, as its last event. For `BUNDLE_FAILED`, `fault` is the error
    that prevented sending the bundle: usually the one that `bundle_for` has raised.
    """

    worker_id: str
    reason: LossReason
    fault: Exception | None = None


@value(frozen=True, slots=True)
class Refused:
    """A message or a stream was rejected; it had no other effect.

    `worker_id` is the id that the peer claims, if a worker of that id is expected, else empty. It
    is not proven.
    """

    category: RefusalCategory
    code: RefusalCode | ProtocolCode
    worker_id: str


ControlEvent: TypeAlias = WorkerHello | WorkerMessage | WorkerLost | Refused
"""Any event of a control server."""
