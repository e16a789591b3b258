"""What a test gives in place of a configuration and a run: settings, instances, payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sk_kernel._application.container import Container
from sk_kernel._application.preflight import one_of
from sk_kernel._declare.settings import build_settings, model_faults, settings_faults
from sk_kernel._declare.specs import SPEC_ATTRIBUTE, Parameter, PayloadType, StateSpec
from sk_kernel.errors import Fault, PreflightError


def given_settings(model: type | None, given: Any, path: str) -> tuple[Any, ...]:
    """What is passed on as settings: an instance, made of ``given`` where that is a mapping.

    :raises PreflightError: when the model refuses it, in which ``path`` is where it would be.
    """
    if model and isinstance(given, model):
        return (given,)
    mapping: Mapping[str, Any] = {} if given is None else given
    if faults := model_faults(model, path, None) or settings_faults(model, mapping, path):
        raise PreflightError(faults)
    return (build_settings(model, mapping),) if model else ()


def provided(parameters: Iterable[Parameter], given: Iterable[object]) -> Container:
    """A container of the instances ``given``, and of new states where one is needed."""
    container = Container()
    instances = list(given)
    for parameter in parameters:
        own = getattr(parameter.cls, "__dict__", {}).get(SPEC_ATTRIBUTE)
        for instance in instances:
            if isinstance(instance, parameter.cls):
                container.provide(parameter.cls, instance)
        if isinstance(own, StateSpec) and parameter.required and not container.provides(own.cls):
            container.provide(own.cls, own.cls())
    return container


def require_taken(name: str, takes: Sequence[PayloadType], payloads: Iterable[Any]) -> None:
    """Refuse payloads that would never come to ``name`` in a run.

    :raises PreflightError: with each class that it does not take.
    """
    wanted = f"a payload that it takes: {one_of(t.name for t in takes)}"
    faults = [
        Fault(name, "wrong_type", wanted, cls.__qualname__)
        for cls in dict.fromkeys(map(type, payloads))
        if not any(t.cls in cls.__mro__ for t in takes)
    ]
    if faults:
        raise PreflightError(faults)
