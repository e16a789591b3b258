"""What a control server tells its owner."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._messages import ControlMessage, Hello
from sk_control._value import value


class LossReason(StrEnum):
    """Why a session is over before its time."""

    STREAM_ENDED = "stream_ended"
    """The peer is gone: it exited, was killed, or closed the stream without its last word."""
    CLOSED_BY_SUPERVISOR = "closed_by_supervisor"
    """The supervisor closed its server in order. Only a worker sees this one."""
    BUNDLE_FAILED = "bundle_failed"
    """No bundle could be made for the worker. Only the server sees this one."""


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
    """A worker's stream is over without a `StopAck`. Once per worker at most, and its last event.

    `fault` is what the owner's own `bundle_for` raised, for `BUNDLE_FAILED`.
    """

    worker_id: str
    reason: LossReason
    fault: Exception | None = None


@value(frozen=True, slots=True)
class Refused:
    """Something was refused and had no other effect.

    `worker_id` is the worker that the peer claims to be if that is one of ours, else empty; it
    proves nothing.
    """

    category: RefusalCategory
    code: RefusalCode | ProtocolCode
    worker_id: str


ControlEvent: TypeAlias = WorkerHello | WorkerMessage | WorkerLost | Refused
"""Anything that a control server reports."""
