"""The specs of services, read from their constructors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from sk_kernel._declare.declaring import classes_of
from sk_kernel._declare.signature import SETTINGS, constructor
from sk_kernel._declare.specs import ServiceSpec
from sk_kernel.errors import DefinitionError


def service_spec(name: str, cls: type, provides: Iterable[type]) -> ServiceSpec:
    """Return the spec of a service class.

    :raises DefinitionError: when a parameter is not annotated with one class, or its ``close`` or
        ``check`` cannot be called as the runtime calls it.
    """
    types: tuple[type, ...] = (cls, *classes_of("service", cls, provides))
    asked = constructor("service", name, cls)
    if asked.context:
        raise DefinitionError("service", name, "a service has no Context: it is made only once")
    _check_close(name, cls)
    spec = ServiceSpec(name, cls, types, asked.injected, asked.settings)
    _check_check(spec)
    return spec


def check_of(spec: ServiceSpec) -> Callable[..., object] | None:
    """Return the service's ``check``, which is called before anything is started; None without one.

    A plain method of that name does not count: it is the service's own.
    """
    own = inspect.getattr_static(spec.cls, "check", None)
    return spec.cls.check if isinstance(own, classmethod | staticmethod) else None  # type: ignore[attr-defined]


def _check_close(name: str, cls: type) -> None:
    close = inspect.getattr_static(cls, "close", None)
    if not inspect.isfunction(close):
        return  # there is none, or a descriptor of its own: its signature is not checked
    if inspect.isgeneratorfunction(close) or inspect.isasyncgenfunction(close):
        problem = "close must be a plain method or a coroutine: nobody iterates what it gives"
        raise DefinitionError("service", name, problem)
    try:
        inspect.signature(close).bind("self")
    except TypeError as error:
        problem = "close must do without arguments: it is called at the end of the run"
        raise DefinitionError("service", name, problem) from error


def _check_check(spec: ServiceSpec) -> None:
    check = check_of(spec)
    if check is None:
        own: Any = inspect.getattr_static(spec.cls, "check", None)
        if inspect.isfunction(own) and SETTINGS in inspect.signature(own).parameters:
            problem = "check must be a class method or a static one: write @classmethod"
            raise DefinitionError("service", spec.name, problem)
        return
    if (
        inspect.iscoroutinefunction(check)
        or inspect.isgeneratorfunction(check)
        or inspect.isasyncgenfunction(check)
    ):
        problem = "check must be plain: nobody awaits or iterates what it gives"
        raise DefinitionError("service", spec.name, problem)
    given = [SETTINGS] if spec.settings_model else []
    try:
        inspect.signature(check).bind(*given)
    except TypeError as error:
        problem = f"check must be callable as check({', '.join(given)}), before there is a service"
        raise DefinitionError("service", spec.name, problem) from error
