"""The methods that both supervisors share: requests, by their handoff, and events, by their log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final

from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    EventRail,
    KernelError,
    LifecycleEvent,
    ReplyWaiter,
    TerminalEvent,
)
from sk_kernel.runtime import RouteCacheSnapshot, RoutingResult

from sk_supervisor._requests.handoff import Handoff

HANDOFF_FAILED: Final = "handoff_failed"


class SupervisorBase:
    """The :class:`sk_kernel.BootstrapSupervisor` methods that any thread may call at any time."""

    handoff: Handoff
    _log: EventRail
    _health: Mapping[str, str] = MappingProxyType({})
    #: How long services may be closed after a failed start before callers get its error, although
    #: the closing goes on. None if the closing always ends.
    close_seconds: float | None = None

    def wait_started(self, timeout_seconds: float) -> bool:
        """See the protocol."""
        return self.handoff.wait_started(timeout_seconds)

    def request(
        self, envelope: Envelope[Any], *, timeout_seconds: float | None = None
    ) -> ReplyWaiter:
        """See the protocol."""
        return self.handoff.request(envelope, timeout_seconds=timeout_seconds)

    def execute_boundary(
        self, inputs: Sequence[BoundaryDispatchInput], *, timeout_seconds: float | None = None
    ) -> RoutingResult:
        """See the protocol.

        :raises HandoffError: for the first input that failed.
        """
        return self.handoff.execute_boundary(inputs, timeout_seconds=timeout_seconds)

    def emit_handoff_failure(self, group_name: str, category: str) -> None:
        """See the protocol."""
        self._log.emit(HANDOFF_FAILED, group=group_name or None, fields={"category": category})

    @property
    def failure(self) -> KernelError | None:
        """The error that ended the run, once it is known; None if nothing has failed."""
        return self.handoff.failure

    def probed_at(self, addresses: Mapping[str, str]) -> None:
        """Set the addresses of the health listeners, by ``http`` and ``grpc``, for the status."""
        self._health = addresses

    def _request_failed(self, outcome: TerminalEvent, trace_id: str) -> None:
        """Emit the lifecycle event of a failed request, in the request's trace. Any thread."""
        facts = {"node": outcome.node, "cause_type": outcome.cause_type}
        self._log.emit(
            HANDOFF_FAILED,
            group=outcome.group or None,
            worker=outcome.worker or None,
            fields={"category": outcome.category, **{k: text for k, text in facts.items() if text}},
            trace_id=trace_id,
        )

    @contextmanager
    def _telling_its_failure(self) -> Iterator[None]:
        """Have later requests rejected with the message of an error raised in the block."""
        try:
            yield
        except KernelError as error:
            self.handoff.failure = error
            raise

    def route_cache_snapshot(self) -> RouteCacheSnapshot:
        """See the protocol."""
        return self.handoff.cache_snapshot()

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)
