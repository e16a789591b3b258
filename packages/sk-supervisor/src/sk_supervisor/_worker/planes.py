"""A worker's ends of the control and the data plane, which it takes from a scope of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sk_control import ControlMessage, ControlPlaneChannel
from sk_kernel import ResolutionError
from sk_kernel.runtime import Container

from sk_supervisor._worker.control_dial import dial_supervisor
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor.errors import RuntimeLifecycleResolutionError


@dataclass(frozen=True, slots=True)
class Planes:
    """The callables that open both ends; :func:`worker_scope` has the defaults."""

    control: Callable[[dict[str, Any], Callable[[ControlMessage], None]], ControlPlaneChannel]
    data: Callable[..., DataPlaneChannel]


def worker_scope() -> Container:
    """Create the scope of a worker."""
    scope = Container()
    scope.provide(Planes, Planes(dial_supervisor, DataPlaneChannel))
    return scope


def planes_in(scope: Container) -> Planes:
    """Return the planes that are bound in a scope.

    :raises RuntimeLifecycleResolutionError: when none are bound.
    """
    try:
        planes: Planes = scope.resolve(Planes, "the runtime")
    except ResolutionError as error:
        raise RuntimeLifecycleResolutionError(Planes.__name__, error.problem) from error
    return planes
