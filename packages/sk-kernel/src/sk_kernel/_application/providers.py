"""The states and services that can be injected into an application, and those it asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sk_kernel._application.discovery import Catalogue
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, ServiceSpec, StateSpec


class Providers(NamedTuple):
    """Everything that can be injected: states, services by each type they provide, given types.

    ``given`` holds the types for which an instance exists already, so that no service is needed.
    """

    states: Mapping[type, StateSpec]
    services: Mapping[type, ServiceSpec]
    given: Collection[type] = ()

    @classmethod
    def of(cls, catalogue: Catalogue, given: Collection[type] = ()) -> Providers:
        """Return the providers in a catalogue; the first service declared for a type is used."""
        services = {t: s for s in reversed(catalogue.services.values()) for t in s.provides}
        return cls(catalogue.states, services, given)

    def has_service(self, wanted: type) -> bool:
        """Whether there is a service or a given instance for ``wanted``."""
        return wanted in self.services or wanted in self.given

    def asked(
        self, askers: Iterable[NodeSpec | AdapterSpec | ServiceSpec]
    ) -> dict[str, ServiceSpec]:
        """Return the services that ``askers`` need, by name, directly or through other services."""
        found: dict[str, ServiceSpec] = {}
        rest = [parameter.cls for asker in askers for parameter in asker.parameters]
        for wanted in rest:  # the loop appends the types that a service asks for
            service = None if wanted in self.given else self.services.get(wanted)
            if service is not None and service.name not in found:
                found[service.name] = service
                rest += [parameter.cls for parameter in service.parameters]
        return found
