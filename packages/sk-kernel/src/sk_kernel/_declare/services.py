"""The specs of services, read from their constructors."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from sk_kernel._declare.declaring import classes_of
from sk_kernel._declare.signature import constructor
from sk_kernel._declare.specs import ServiceSpec
from sk_kernel.errors import DefinitionError


def service_spec(label: str, cls: type, provides: Iterable[type]) -> ServiceSpec:
    """The spec of a service class.

    :raises DefinitionError: when a parameter is not annotated with one class, or what it has by the
        name ``close`` cannot be called as the runtime calls it.
    """
    types: tuple[type, ...] = (cls, *classes_of("service", cls, provides))
    asked = constructor("service", label, cls)
    if asked.settings or asked.context:
        raise DefinitionError("service", label, "a service has no settings and no Context")
    _check_close(label, cls)
    return ServiceSpec(cls, types, asked.injected)


def _check_close(label: str, cls: type) -> None:
    close = inspect.getattr_static(cls, "close", None)
    if not inspect.isfunction(close):
        return  # there is none, or it is called in a way of its own
    if inspect.isgeneratorfunction(close) or inspect.isasyncgenfunction(close):
        problem = "close must be a plain method or a coroutine: nobody iterates what it gives"
        raise DefinitionError("service", label, problem)
    try:
        inspect.signature(close).bind("self")
    except TypeError as error:
        problem = "close must do without arguments: it is called at the end of the run"
        raise DefinitionError("service", label, problem) from error
