"""The part of a supervisor that callers ask: the same, whatever its workers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    EventRail,
    ReplyWaiter,
    RouteCacheSnapshot,
    RoutingResult,
)

from sk_supervisor._handoff import Handoff


class Asked:
    """What :class:`sk_kernel.BootstrapSupervisor` says of requests. Any thread."""

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
