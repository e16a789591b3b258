"""What a test passes instead of a configuration: settings, instances, payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sk_kernel._application.container import Container
from sk_kernel._application.discovery import Catalogue
from sk_kernel._application.preflight import one_of
from sk_kernel._application.service_faults import service_check_faults
from sk_kernel._declare.settings import build_settings, model_faults, settings_faults
from sk_kernel._declare.specs import (
    SPEC_ATTRIBUTE,
    NodeSpec,
    Parameter,
    PayloadType,
    ServiceSpec,
    StateSpec,
)
from sk_kernel.errors import Fault, PreflightError, ResolutionError

_NOT_GIVEN: Final = "is neither a @service nor a @state by itself: give one, services=[...]"


def given_settings(model: type | None, given: Any, path: str) -> tuple[Any, ...]:
    """Return the settings to pass on: ``given``, or an instance built from it if it is a mapping.

    :raises PreflightError: when the model rejects the settings; ``path`` is their path in a
        configuration.
    """
    if model and isinstance(given, model):
        return (given,)
    mapping: Mapping[str, Any] = {} if given is None else given
    if faults := model_faults(model, path, None) or settings_faults(model, mapping, path):
        raise PreflightError(faults)
    return (build_settings(model, mapping),) if model else ()


def provided(
    owner: str,
    parameters: Iterable[Parameter],
    given: Iterable[object],
    settings: Mapping[str, Any] | None,
) -> Container:
    """Return a container of the ``given`` instances that creates the other states and services.

    A service is checked and created as in a run, with the services that it needs itself.

    :param settings: the settings of services, by name, each an instance or a mapping.
    :raises PreflightError: when the settings of a service that is to be created are wrong.
    :raises ResolutionError: when ``owner``, or a service, needs something neither given nor
        declared.
    """
    instances = list(given)
    services: dict[type, ServiceSpec] = {}
    states: dict[type, StateSpec] = {}
    asked = [(owner, parameter) for parameter in parameters]
    found: dict[type, object] = {}
    for who, parameter in asked:  # grows: the needs of a service are appended
        cls = parameter.cls
        own = getattr(cls, "__dict__", {}).get(SPEC_ATTRIBUTE)
        if fitting := [each for each in instances if isinstance(each, cls)]:
            found[cls] = fitting[-1]
        elif not parameter.required or cls in services:
            continue
        elif isinstance(own, StateSpec):
            states[cls] = own
        elif isinstance(own, ServiceSpec):
            services[cls] = own
            asked += [(own.name, each) for each in own.parameters]
        else:
            raise ResolutionError(who, cls.__qualname__, _NOT_GIVEN)
    made = _checked_settings({spec.name: spec for spec in services.values()}, settings or {})
    container = Container(services.values(), states, lambda spec: made[spec.name])
    for cls, instance in found.items():
        container.provide(cls, instance)
    return container


def _checked_settings(
    services: Mapping[str, ServiceSpec], given: Mapping[str, Any]
) -> dict[str, tuple[Any, ...]]:
    """Return the settings of the services that are to be created, checked as in a preflight."""
    made: dict[str, tuple[Any, ...]] = {}
    unknown = sorted(given.keys() - services.keys())
    faults = [
        Fault(f"services.{name}", "unknown_service", _made_here(services)) for name in unknown
    ]
    for name, spec in services.items():
        try:
            made[name] = given_settings(spec.settings_model, given.get(name), f"services.{name}")
        except PreflightError as error:
            faults += error.faults
        else:
            faults += service_check_faults(spec, made[name])
    if faults:
        raise PreflightError(faults)
    return made


def _made_here(services: Iterable[str]) -> str:
    names = ", ".join(sorted(services))
    return f"one that is made here: {names}" if names else "no settings: no service is made here"


def answers(catalogue: Catalogue, services: Iterable[object]) -> dict[type, object]:
    """Map each class that is asked for to the last instance of it among ``services``."""
    given = list(services)
    found: dict[type, object] = {}
    for cls in _asked(catalogue):
        if fitting := [each for each in given if isinstance(each, cls)]:
            found[cls] = fitting[-1]
    return found


def _asked(catalogue: Catalogue) -> dict[type, None]:
    """Return the classes, except states, that the declared nodes and services ask for."""
    asking: tuple[NodeSpec | ServiceSpec, ...] = (
        *catalogue.nodes.values(),
        *catalogue.services.values(),
    )
    asked = dict.fromkeys(parameter.cls for each in asking for parameter in each.parameters)
    return {cls: None for cls in asked if cls not in catalogue.states}


def require_taken(name: str, takes: Sequence[PayloadType], payloads: Iterable[Any]) -> None:
    """Require that ``name`` takes every payload: in a run, others would never reach it.

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
