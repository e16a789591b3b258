"""The transport of a run, which a supervisor takes from a scope of its own.

The scope is separate from the application's container, so that no node can request the transport.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sk_kernel import ResolutionError
from sk_kernel.runtime import Container

from sk_supervisor.errors import RuntimeLifecycleResolutionError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transport(Generic[T]):
    """The transport service of a profile: it opens, for one run, all that batches pass through.

    In ``memory`` that is the run itself, which passes batches on unchanged; in ``tcp_local`` it is
    the session, with its queues (the hub) and its channels (the listeners of both planes). ``open``
    is its class, or a callable with the same parameters.
    """

    name: str
    open: T


def scope_of(transport: Transport[Any]) -> Container:
    """Return the scope of a supervisor, which binds this transport."""
    scope = Container()
    scope.provide(Transport, transport)
    return scope


def transport_in(scope: Container) -> Transport[Any]:
    """Return the transport that is bound in a scope.

    :raises RuntimeLifecycleResolutionError: when none is bound.
    """
    try:
        transport: Transport[Any] = scope.resolve(Transport, "the runtime")
    except ResolutionError as error:
        raise RuntimeLifecycleResolutionError(Transport.__name__, error.problem) from error
    return transport
