"""Preflight checks of services: their dependencies, their settings, and their own ``check``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sk_kernel._application.preflight import one_of, stateless
from sk_kernel._application.providers import Providers
from sk_kernel._declare.places import defined_at
from sk_kernel._declare.services import check_of
from sk_kernel._declare.settings import model_faults, settings_faults
from sk_kernel._declare.specs import ServiceSpec
from sk_kernel._guard.forked import OwnProcess
from sk_kernel._guard.whereabouts import line_of
from sk_kernel.errors import CheckError, Fault


def service_faults(services: Mapping[str, ServiceSpec], providers: Providers) -> Iterator[Fault]:
    """Yield the faults of the services: missing or forbidden dependencies, and cycles."""
    for spec in services.values():
        yield from stateless(spec.name, spec.cls, spec.parameters, providers)
        if spec.name in providers.asked([spec]):
            wanted = "services that do not need each other"
            yield Fault(spec.name, "circular", wanted, place=defined_at(spec.cls))


def service_settings_faults(
    services: Mapping[str, ServiceSpec],
    given: Mapping[str, Mapping[str, Any]],
    asked: Collection[str],
) -> Iterator[Fault]:
    """Yield the faults of services' settings.

    A service that nothing asks for (``asked``) needs no settings, but settings given to it must
    be valid.
    """
    for name in given.keys() - services.keys():
        yield Fault(f"services.{name}", "unknown_service", one_of(services, name))
    for name, spec in services.items():
        unfit = model_faults(spec.settings_model, name, spec.cls)
        yield from unfit
        if not unfit and (name in asked or name in given):
            path = f"services.{name}"
            yield from settings_faults(spec.settings_model, given.get(name, {}), path)


def service_check_faults(spec: ServiceSpec, settings: tuple[Any, ...]) -> Iterator[Fault]:
    """Call the ``check`` of a service, if it has one, and yield the fault it reports."""
    check = check_of(spec)
    if check is None:
        return
    try:
        with OwnProcess():
            check(*settings)
    except CheckError as error:
        yield Fault(f"services.{spec.name}.{error.field}", "service", "", error.problem)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is reported as a fault
        problem = f"its check() raised {type(error).__name__}: {error}{line_of(error)}"
        yield Fault(f"services.{spec.name}", "service", "", problem)
