"""What both supervisors answer in the same way: requests by their handoff, events by their log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    EventRail,
    LifecycleEvent,
    ReplyWaiter,
    RouteCacheSnapshot,
    RoutingResult,
)

from sk_supervisor._handoff import Handoff


class SupervisorBase:
    """The part of a :class:`sk_kernel.BootstrapSupervisor` that any thread may call at any time."""

    handoff: Handoff
    _log: EventRail

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

        :raises HandoffError: as the first input that failed.
        """
        return self.handoff.execute_boundary(inputs, timeout_seconds=timeout_seconds)

    def emit_handoff_failure(self, group_name: str, category: str) -> None:
        """See the protocol."""
        self._log.emit("handoff_failed", group=group_name, fields={"category": category})

    def route_cache_snapshot(self) -> RouteCacheSnapshot:
        """See the protocol."""
        return self.handoff.cache_snapshot()

    def lifecycle_events(self) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.events()

    def subscribe(self, after_sequence: int) -> Sequence[LifecycleEvent]:
        """See the protocol."""
        return self._log.after(after_sequence)
