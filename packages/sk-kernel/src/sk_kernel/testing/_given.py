"""What a test gives in place of a configuration and a run: settings, instances, payloads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._application.discovery import Catalogue
from sk_kernel._application.preflight import one_of
from sk_kernel._application.spec import ApplicationSpec
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
    """What is passed on as settings: an instance, made of ``given`` where that is a mapping.

    :raises PreflightError: when the model refuses it, in which ``path`` is where it would be.
    """
    if model and isinstance(given, model):
        return (given,)
    mapping: Mapping[str, Any] = {} if given is None else given
    if faults := model_faults(model, path, None) or settings_faults(model, mapping, path):
        raise PreflightError(faults)
    return (build_settings(model, mapping),) if model else ()


def provided(owner: str, parameters: Iterable[Parameter], given: Iterable[object]) -> Container:
    """A container of the instances ``given``, which makes the states and services needed besides.

    A service is made as in a run, with the services that it needs itself.

    :raises ResolutionError: when ``owner``, or a service, needs what is neither given nor declared.
    """
    instances = list(given)
    services: dict[type, ServiceSpec] = {}
    states: dict[type, StateSpec] = {}
    asked = [(owner, parameter) for parameter in parameters]
    found: dict[type, object] = {}
    for who, parameter in asked:  # what a service needs is put behind
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
            asked += [(cls.__qualname__, each) for each in own.parameters]
        else:
            raise ResolutionError(who, cls.__qualname__, _NOT_GIVEN)
    container = Container(services.values(), states)
    for cls, instance in found.items():
        container.provide(cls, instance)
    return container


class ServedApplication(ApplicationContext):
    """An application with ``services``, each by every class that is asked for and that it is of."""

    def __init__(
        self, spec: ApplicationSpec, catalogue: Catalogue, services: Iterable[object]
    ) -> None:
        given = list(services)
        self._answers: dict[type, object] = {}
        for cls in _asked(catalogue):
            if fitting := [each for each in given if isinstance(each, cls)]:
                self._answers[cls] = fitting[-1]
        declared = {cls for service in catalogue.services for cls in service.provides}
        others = [ServiceSpec(cls, (cls,)) for cls in self._answers if cls not in declared]
        catalogue.services += others
        super().__init__(spec, catalogue=catalogue)

    def container(self) -> Container:
        """See the base; it has the instances that are given."""
        container = super().container()
        for cls, instance in self._answers.items():
            container.provide(cls, instance)
        return container


def _asked(catalogue: Catalogue) -> dict[type, None]:
    """The classes of services that something declared asks for."""
    asking: tuple[NodeSpec | ServiceSpec, ...] = (*catalogue.nodes.values(), *catalogue.services)
    asked = dict.fromkeys(parameter.cls for each in asking for parameter in each.parameters)
    return {cls: None for cls in asked if cls not in catalogue.states}


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
