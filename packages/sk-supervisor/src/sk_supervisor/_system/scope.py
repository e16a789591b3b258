"""The services of the runtime in each process of a run, by dependency injection, in a scope.

The scope is separate from the application's container, so that no node can request such a service.
A supervisor finds its transport there, and a worker the factories of its ends of the data and
control planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sk_kernel import ResolutionError
from sk_kernel.runtime import Container

from sk_supervisor.errors import RuntimeLifecycleResolutionError

T = TypeVar("T")
S = TypeVar("S")


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
    """Return the scope of a supervisor."""
    scope = Container()
    scope.provide(Transport, transport)
    return scope


def resolve(scope: Container, wanted: type[S]) -> S:
    """Return the service that is bound for a class.

    :raises RuntimeLifecycleResolutionError: when none is bound.
    """
    try:
        service: S = scope.resolve(wanted, "the runtime")
    except ResolutionError as error:
        raise RuntimeLifecycleResolutionError(wanted.__name__, error.problem) from error
    return service
