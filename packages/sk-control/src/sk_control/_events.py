"""The events that a control server reports to its owner."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._messages import ControlMessage, Hello
from sk_control._value import value


class LossReason(StrEnum):
    """Why a session is over before its time."""

    STREAM_ENDED = "stream_ended"
    """The peer is gone: it exited, was killed, or closed the stream before the session was over."""
    CLOSED_BY_SUPERVISOR = "closed_by_supervisor"
    """The supervisor closed its server. Only a worker is told this."""
    BUNDLE_FAILED = "bundle_failed"
    """No bundle could be made for the worker. Only the server's owner is told this."""


@value(frozen=True, slots=True)
class WorkerHello:
    """A worker has proven that it holds its token; its bundle goes out next."""

    hello: Hello


@value(frozen=True, slots=True)
class WorkerMessage:
    """A worker's message, authentic and in order."""

    worker_id: str
    message: ControlMessage


@value(frozen=True, slots=True)
class WorkerLost:
    """A worker's stream is over, and it has not said `StopAck`.

    At most once per worker, and its last event. For `BUNDLE_FAILED`, `fault` is what kept the
    bundle from being sent: mostly what the owner's own `bundle_for` has raised.
    """

    worker_id: str
    reason: LossReason
    fault: Exception | None = None


@value(frozen=True, slots=True)
class Refused:
    """A message or a stream was refused; it had no other effect.

    `worker_id` is what the peer claims to be, if a worker of that id was expected, else empty. It
    is not proven.
    """

    category: RefusalCategory
    code: RefusalCode | ProtocolCode
    worker_id: str


ControlEvent: TypeAlias = WorkerHello | WorkerMessage | WorkerLost | Refused
"""Anything that a control server reports."""
