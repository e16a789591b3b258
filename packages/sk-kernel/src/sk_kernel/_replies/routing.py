"""Route payloads: to nodes of the own group, to other groups, or nowhere further, as replies."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any, NamedTuple

import msgspec

from sk_kernel._graph.graph import SINK
from sk_kernel._graph.plan import ExecutionPlan
from sk_kernel._record.boundary import BoundaryDispatchInput, RoutingResult
from sk_kernel._record.envelope import Envelope
from sk_kernel._replies.route_cache import RouteCache, RouteCacheSnapshot, _Unknown
from sk_kernel._requests.caller import require_sendable
from sk_kernel.errors import UnknownRouteError

#: What a route depends on, besides the plan: the named target, if any, and the payload's class.
RouteKey = tuple[str | None, type]
#: (target, its group) of every consumer; empty if there is no named target and no consumer.
Stops = tuple[tuple[str, str], ...]


class _Placed(NamedTuple):
    version: int
    plan: ExecutionPlan


def find_stops(plan: ExecutionPlan, target: str | None, cls: type) -> Stops | None:
    """Return where payloads of a class go under a plan, or None if the target does not take them.

    Without a target they go to every consumer of the class or, if there are none, of its nearest
    base class, as in the graph.
    """
    graph = plan.graph
    if target is not None:
        return ((target, plan.group_of[target]),) if graph.accepts(target, cls) else None
    known = (*graph.nodes, SINK)
    for base in cls.__mro__:
        found = [name for name in known if any(t.cls is base for t in graph.consumed(name))]
        if found:
            return tuple((name, plan.group_of[name]) for name in found)
    return ()


class RoutingService:
    """Routes outputs by a plan, as seen from ``group`` (None: from outside all groups).

    Every method may be called in any thread, also while :meth:`place` changes the plan: one call of
    :meth:`route` uses the same plan for all of its outputs.
    """

    def __init__(
        self,
        plan: ExecutionPlan,
        *,
        group: str | None = None,
        cache: RouteCache[RouteKey, Stops] | None = None,
    ) -> None:
        self._group = group
        self._cache: RouteCache[RouteKey, Stops] = RouteCache() if cache is None else cache
        self._lock = Lock()
        self._placed = _Placed(0, plan)

    def place(self, plan: ExecutionPlan) -> int:
        """Route by another plan from now on, and return the version of the new placement.

        No run of this framework calls this, since its placement is fixed before it begins. It is
        for a supervisor from another package that moves groups while callers send requests.
        """
        with self._lock:
            version = self._placed.version + 1
            self._placed = _Placed(version, plan)
        self._cache.invalidate(version)
        return version

    def route(self, outputs: Iterable[Envelope[Any]]) -> RoutingResult:
        """Decide where outputs go next; each list of the result is in the order of the outputs.

        An output that nothing consumes is terminal. So is an output for the sink that has a
        ``reply_to``: its caller takes the place of the sink.

        :raises UnknownRouteError: when a target does not exist or does not consume the payload's
            type. Nothing is routed then.
        """
        placed = self._placed
        local: list[Envelope[Any]] = []
        boundary: list[BoundaryDispatchInput] = []
        terminal: list[Envelope[Any]] = []
        for output in outputs:
            stops = self._stops(placed, output)
            if not stops:
                terminal.append(output)
            for target, group in stops:
                if target == SINK and output.reply_to is not None:
                    terminal.append(output)
                elif group == self._group:
                    local.append(_towards(output, target))
                else:
                    boundary.append(_dispatch(output, target, group))
        return RoutingResult(local, boundary, terminal)

    def by_group(
        self, inputs: Iterable[BoundaryDispatchInput]
    ) -> dict[str, list[BoundaryDispatchInput]]:
        """Sort dispatches by their group; the groups are in the order of their first appearance.

        :raises UnsendableRequestError: when metadata of a dispatch is not text, or a name too long.
        :raises UnknownRouteError: for a group that does not exist or does not run its target.
        """
        group_of = self._placed.plan.group_of
        groups = set(group_of.values())
        sorted_inputs: dict[str, list[BoundaryDispatchInput]] = {}
        for each in inputs:
            require_sendable(each)
            if each.dispatch_group not in groups:
                problem = f"there is no group {each.dispatch_group!r}"
                raise UnknownRouteError(problem, target=each.target, group=each.dispatch_group)
            if group_of.get(each.target) != each.dispatch_group:
                problem = f"the group {each.dispatch_group!r} does not run {each.target!r}"
                raise UnknownRouteError(problem, target=each.target, group=each.dispatch_group)
            sorted_inputs.setdefault(each.dispatch_group, []).append(each)
        return sorted_inputs

    def cache_snapshot(self) -> RouteCacheSnapshot:
        """Return the counters and the settings of the route cache."""
        return self._cache.snapshot()

    def _stops(self, placed: _Placed, output: Envelope[Any]) -> Stops:
        cls = type(output.payload)
        key = output.target, cls
        stops = self._cache.get(key, placed.version)
        if isinstance(stops, _Unknown):
            stops = find_stops(placed.plan, output.target, cls)
            self._cache.put(key, placed.version, stops)
        if stops is None:
            problem = f"{output.target!r} is no node that consumes {cls.__qualname__}"
            raise UnknownRouteError(problem, target=output.target or "")
        return stops


def _towards(output: Envelope[Any], target: str) -> Envelope[Any]:
    return output if output.target == target else msgspec.structs.replace(output, target=target)


def _dispatch(output: Envelope[Any], target: str, group: str) -> BoundaryDispatchInput:
    return BoundaryDispatchInput(
        payload=output.payload,
        dispatch_group=group,
        target=target,
        trace_id=output.trace_id,
        reply_to=output.reply_to,
        headers=output.headers,
    )
