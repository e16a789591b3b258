"""What the supervisor's one loop waits for: everything that happens, in one queue."""

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
    """The hub refused a frame or peer; ``worker_id`` is empty for the hub's own fault."""

    worker_id: str
    category: str
    message: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Somebody wants the run to end: a signal, or a call. With ``force``: at once."""

    reason: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class RefusalsCame:
    """Something was refused, for the first time since they were last told of."""


@dataclass(frozen=True, slots=True)
class AllAcknowledged:
    """Every batch, to the end of input, is done with everywhere."""


@dataclass(frozen=True, slots=True)
class SinkEnded:
    """The sink's worker says that the sink has committed, or aborted."""

    worker_id: str
    end: SinkEnd


@dataclass(frozen=True, slots=True)
class RecordsSkipped:
    """A worker's nodes have skipped so many records so far, as its batch says that goes on."""

    worker_id: str
    count: int


@dataclass(frozen=True, slots=True)
class HubLeft:
    """All that a worker had sent to the hub is read; no more comes."""

    worker_id: str


@dataclass(frozen=True, slots=True)
class HandoffFailed:
    """A request that was handed to a group has failed; ``trace_id`` is that of its spans."""

    outcome: TerminalEvent
    trace_id: str


@dataclass(frozen=True, slots=True)
class RequestsSettled:
    """No request is in flight any more, and none comes."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody wants to know whether the loop turns."""

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
