"""The events of the supervisor's loop, all in one queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from sk_control import ControlEvent
from sk_kernel import TerminalEvent

from sk_supervisor._protocol.frames import SinkEnd


@dataclass(frozen=True, slots=True)
class ProcessExited:
    """A worker's process is gone."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class HubFault:
    """The hub rejected a frame or a peer; ``worker_id`` is empty for a fault of the hub itself."""

    worker_id: str
    category: str
    message: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A signal or a call requested the end of the run; with ``force``, at once."""

    reason: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class RefusalsCame:
    """A listener refused something, for the first time since refusals were last reported."""


@dataclass(frozen=True, slots=True)
class AllAcknowledged:
    """Every batch, to the end of input, has been acknowledged."""


@dataclass(frozen=True, slots=True)
class SinkEnded:
    """The sink's worker reports that the sink has committed, or aborted."""

    worker_id: str
    end: SinkEnd


@dataclass(frozen=True, slots=True)
class RecordsSkipped:
    """The number of records that a worker's nodes have skipped so far, sent with a batch."""

    worker_id: str
    count: int


@dataclass(frozen=True, slots=True)
class HubLeft:
    """The hub has read everything that a worker had sent; no more will come."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class HandoffFailed:
    """A request to a group has failed; ``trace_id`` is that of its spans."""

    outcome: TerminalEvent
    trace_id: str


@dataclass(frozen=True, slots=True)
class RequestsSettled:
    """No request is in flight any more, and none will come."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A caller wants to know whether the loop turns."""

    answer: Callable[[], None]


LoopEvent: TypeAlias = (
    ControlEvent
    | ProcessExited
    | HubFault
    | StopRequested
    | RefusalsCame
    | AllAcknowledged
    | SinkEnded
    | RecordsSkipped
    | HubLeft
    | HandoffFailed
    | RequestsSettled
    | Ping
)
