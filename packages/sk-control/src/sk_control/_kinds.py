"""Kinds and directions of control messages, with the numbers of `control.proto`."""

from __future__ import annotations

from enum import IntEnum


class Direction(IntEnum):
    """The end that a message is sent to."""

    TO_SUPERVISOR = 1
    TO_WORKER = 2


class MessageKind(IntEnum):
    """The type of a message, as a number on the wire."""

    HELLO = 1
    BOOTSTRAP_BUNDLE = 2
    BUNDLE_ACK = 3
    READY = 4
    HEARTBEAT = 5
    PROGRESS = 6
    START_WORK = 7
    STOP = 8
    STOP_ACK = 9
    DRAINED = 10
    FAILED = 11
    PEER_REPLACED = 12
    SPAN_COUNTS = 13

    @property
    def direction(self) -> Direction:
        """The only direction in which messages of this kind are sent."""
        return Direction.TO_WORKER if self in _TO_WORKER else Direction.TO_SUPERVISOR

    @property
    def label(self) -> str:
        """The name of the kind in errors and logs, such as `bundle_ack`."""
        return self.name.lower()


_TO_WORKER = {
    MessageKind.BOOTSTRAP_BUNDLE,
    MessageKind.START_WORK,
    MessageKind.STOP,
    MessageKind.PEER_REPLACED,
}
