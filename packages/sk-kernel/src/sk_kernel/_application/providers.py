"""What there is to be injected into an application, and what of it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sk_kernel._application.discovery import Catalogue
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, ServiceSpec, StateSpec


class Providers(NamedTuple):
    """States, services by every type that each is made for, and types that need no service.

    Of the latter there are instances already.
    """

    states: Mapping[type, StateSpec]
    services: Mapping[type, ServiceSpec]
    given: Collection[type] = ()

    @classmethod
    def of(cls, catalogue: Catalogue, given: Collection[type] = ()) -> Providers:
        """Those of what is declared; of several services for one type the first one declared."""
        services = {t: s for s in reversed(catalogue.services.values()) for t in s.provides}
        return cls(catalogue.states, services, given)

    def has_service(self, wanted: type) -> bool:
        """Whether there is a service for ``wanted``."""
        return wanted in self.services or wanted in self.given

    def asked(
        self, askers: Iterable[NodeSpec | AdapterSpec | ServiceSpec]
    ) -> dict[str, ServiceSpec]:
        """The services to be made, by name: those asked for, and those that these ask for."""
        found: dict[str, ServiceSpec] = {}
        rest = [parameter.cls for asker in askers for parameter in asker.parameters]
        for wanted in rest:  # what a service asks for is put behind
            service = None if wanted in self.given else self.services.get(wanted)
            if service is not None and service.name not in found:
                found[service.name] = service
                rest += [parameter.cls for parameter in service.parameters]
        return found
