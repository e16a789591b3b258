"""The platform's own services in a process of a run, by dependency injection: a scope each.

It is apart from the application's container, so that no node can ask for what is the platform's. A
supervisor finds its transport there, a worker what opens its ends of the data and control planes.
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
    """The transport service of a profile: what opens, for one run, all that batches move over.

    In ``memory`` that is the run itself, which hands a batch on as it is; in ``tcp_local`` it is
    the session, with its queues (the hub) and its channels (the listeners of both planes). ``open``
    is the class of that, or whatever is called as the class is.
    """

    name: str
    open: T


def scope_of(transport: Transport[Any]) -> Container:
    """The scope of a supervisor."""
    scope = Container()
    scope.provide(Transport, transport)
    return scope


def resolve(scope: Container, wanted: type[S]) -> S:
    """The service that is bound for a class.

    :raises RuntimeLifecycleResolutionError: when none is.
    """
    try:
        service: S = scope.resolve(wanted, "the runtime")
    except ResolutionError as error:
        raise RuntimeLifecycleResolutionError(wanted.__name__, error.problem) from error
    return service
