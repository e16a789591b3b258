"""Kinds and directions of control messages. The numbers are those of `control.proto`."""

from __future__ import annotations

from enum import IntEnum


class Direction(IntEnum):
    """Which end a message is for."""

    TO_SUPERVISOR = 1
    TO_WORKER = 2


class MessageKind(IntEnum):
    """What a message says: its type, as a number on the wire."""

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
        """The only direction in which this kind travels."""
        return Direction.TO_WORKER if self in _TO_WORKER else Direction.TO_SUPERVISOR

    @property
    def label(self) -> str:
        """The kind in words, as it stands in errors and logs: `bundle_ack`."""
        return self.name.lower()


_TO_WORKER = {
    MessageKind.BOOTSTRAP_BUNDLE,
    MessageKind.START_WORK,
    MessageKind.STOP,
    MessageKind.PEER_REPLACED,
}
