"""The application context, which every process builds from the application's plain data."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, TypeVar

from sk_kernel._application.container import Container
from sk_kernel._application.discovery import Catalogue, discover
from sk_kernel._application.failure_faults import failure_faults, letter_file_faults
from sk_kernel._application.making import made_adapter, made_node
from sk_kernel._application.preflight import (
    adapter_faults,
    check_faults,
    choice_faults,
    elsewhere_faults,
    node_faults,
    one_of,
)
from sk_kernel._application.providers import Providers
from sk_kernel._application.service_faults import (
    service_check_faults,
    service_faults,
    service_settings_faults,
)
from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel._declare.places import defined_at
from sk_kernel._declare.settings import build_settings
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, ServiceSpec
from sk_kernel._graph.builder import build_graph
from sk_kernel._graph.graph import Graph
from sk_kernel._graph.serving import REPLIES, REQUESTS
from sk_kernel._guard.forked import OwnProcess
from sk_kernel.errors import Fault, PreflightError

AnyAdapter = TypeVar("AnyAdapter", bound=AdapterSpec)
_NOTHING: Final[Mapping[type, object]] = MappingProxyType({})


class ApplicationContext:
    """The objects declared under the module roots, connected into a graph, ready to instantiate.

    :param catalogue: the declared objects, if they have been discovered already.
    :param given: instances to inject in place of services, by requested type.
    :raises DiscoveryError: when a module cannot be imported.
    :raises DefinitionError: when an object in a module violates the rules of its decorator.
    :raises PreflightError: with all faults of the graph and of the settings.
    """

    def __init__(
        self,
        spec: ApplicationSpec,
        *,
        catalogue: Catalogue | None = None,
        given: Mapping[type, object] = _NOTHING,
    ) -> None:
        self.spec, self._given = spec, given
        self.catalogue = discover(spec.discovery_modules) if catalogue is None else catalogue
        own = self.catalogue
        self._providers = Providers.of(own, given.keys())
        faults: list[Fault] = list(service_faults(own.services, self._providers))
        source = self._adapter("source", {REQUESTS.name: REQUESTS, **own.sources}, faults)
        sink = self._adapter("sink", {REPLIES.name: REPLIES, **own.sinks}, faults)
        for name in spec.nodes.keys() - self.catalogue.nodes.keys():
            known = one_of(self.catalogue.nodes, name)
            faults.append(Fault(f"nodes.{name}", "unknown_node", known))
        for node in self.catalogue.nodes.values():
            found = node_faults(node, spec.nodes.get(node.name, {}), self._providers)
            faults += found or self._choice_faults(node)
        ends = tuple(end for end in (source, sink) if end)
        self._services = self._providers.asked((*ends, *own.nodes.values()))
        faults += service_settings_faults(own.services, spec.services, self._services)
        if source and sink:
            try:
                self.graph: Graph = build_graph(source, sink, self.catalogue.nodes)
            except PreflightError as error:
                faults += error.faults
                faults += self._nodes_overlooked(error.faults)
            else:
                # The states of a faulty node are not known.
                states = {} if faults else self.all_states
                faults += failure_faults(spec.failure, self.graph, states)
        faults += elsewhere_faults(spec.discovery_modules, own.elsewhere, own.tests, faults)
        if faults:
            raise PreflightError(faults)

    def run_checks(self) -> None:
        """Call the ``check`` of the source, the sink and the services that the run will make.

        This happens before anything is started. It also checks whether the file of dead letters
        can be written.

        :raises PreflightError: with all faults found, including a ``check`` that itself raised.
        """
        faults = list(letter_file_faults(self.spec.failure))
        adapters: tuple[tuple[str, AdapterSpec], ...] = (
            ("source", self.graph.source),
            ("sink", self.graph.sink),
        )
        for role, spec in adapters:
            faults += check_faults(role, spec, self._adapter_settings(role, spec))
        faults += self.service_check_faults()
        if faults:
            raise PreflightError(faults)

    def service_check_faults(self) -> Iterator[Fault]:
        """Yield the faults that services find in their settings, for services made by any process.

        Services that nothing asks for are not checked.
        """
        for spec in self._services.values():
            yield from service_check_faults(spec, self._service_settings(spec))

    def states_of(self, name: str) -> tuple[type, ...]:
        """Return the states that a node uses under its settings."""
        return self.all_states.get(name, ())

    @cached_property
    def all_states(self) -> dict[str, tuple[type, ...]]:
        """The states of each node that has any, by node name."""
        known = self.catalogue.nodes.items()
        return {name: states for name, node in known if (states := self._states(node))}

    def services_of(self, asker: NodeSpec | AdapterSpec) -> dict[str, ServiceSpec]:
        """Return the services needed by a node, source or sink, by name, indirect ones included."""
        return self._providers.asked((asker,))

    @property
    def state_keys(self) -> dict[type, str | None]:
        """The key of each discovered state; None for a global state."""
        return {cls: spec.key for cls, spec in self.catalogue.states.items()}

    def container(self) -> Container:
        """Return a new container with the discovered services and states, and given instances."""
        own = self.catalogue
        container = Container(own.services.values(), own.states, self._service_settings)
        for wanted, instance in self._given.items():
            container.provide(wanted, instance)
        return container

    def make_node(self, name: str, container: Container) -> Any:
        """Return a node's callable with its dependencies injected (a Context parameter is not).

        :raises ResolutionError: when a dependency is missing or the node's ``__init__`` raised.
        """
        node = self.catalogue.nodes[name]
        used = self.states_of(name)
        every = self.catalogue.states
        settings = self._node_settings(node)
        return made_node(node, settings, container, lambda c: c in used or c not in every)

    def make_source(self, container: Container) -> Any:
        """Return the source as an object with the methods of :class:`Source`.

        :raises ResolutionError: when a dependency is missing.
        :raises AdapterFailedError: when its ``__init__`` raised.
        """
        settings = self._adapter_settings("source", self.graph.source)
        return made_adapter(self.graph.source, settings, container)

    def make_sink(self, container: Container) -> Any:
        """Return the sink as an object with the methods of :class:`Sink`.

        Raises the same errors as :meth:`make_source`.
        """
        settings = self._adapter_settings("sink", self.graph.sink)
        return made_adapter(self.graph.sink, settings, container)

    def _adapter(
        self, role: str, known: Mapping[str, AnyAdapter], faults: list[Fault]
    ) -> AnyAdapter | None:
        path = f"adapters.{role}"
        choice: AdapterSettings | None = getattr(self.spec, role)
        spec = known.get(choice.name) if choice else None
        if choice is None:
            faults.append(Fault(path, "missing", one_of(known), "none"))
        elif spec is None:
            wanted = one_of(known, choice.name)
            faults.append(Fault(f"{path}.name", "unknown_adapter", wanted, choice.name))
        else:
            faults += adapter_faults(path, spec, choice.settings, self._providers)
        return spec

    def _nodes_overlooked(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Yield a hint about modules without nodes: a missing decorator leaves the graph a gap."""
        roots = self.catalogue.empty_roots if self.catalogue.nodes else self.spec.discovery_modules
        if roots and any(fault.category in ("unconsumed", "unreached") for fault in faults):
            hint = f"no nodes found in module {', '.join(roots)}: is a @node missing?"
            yield Fault("runtime.discovery_modules", "no_nodes", "", hint)

    def _declared_states(self, node: NodeSpec) -> tuple[type, ...]:
        return tuple(p.cls for p in node.parameters if p.cls in self.catalogue.states)

    def _states(self, node: NodeSpec) -> tuple[type, ...]:
        declared = self._declared_states(node)
        chooser = inspect.getattr_static(node.target, "states", None) if node.is_class else None
        if not isinstance(chooser, classmethod | staticmethod):
            return declared
        settings = self._node_settings(node)
        with OwnProcess():
            chosen = tuple(node.target.states(*settings))  # type: ignore[attr-defined]
        return tuple(cls for cls in declared if cls in chosen) + tuple(
            cls for cls in chosen if cls not in declared
        )

    def _choice_faults(self, node: NodeSpec) -> list[Fault]:
        try:
            chosen = self._states(node)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code, and its fault
            wanted, got = "a states() that does not raise", f"{type(error).__name__}: {error}"
            return [Fault(node.name, "state_choice", wanted, got, defined_at(node.target))]
        return list(choice_faults(node, self._declared_states(node), chosen))

    def _node_settings(self, node: NodeSpec) -> tuple[Any, ...]:
        if node.settings_model is None:
            return ()
        return (build_settings(node.settings_model, self.spec.nodes.get(node.name, {})),)

    def _service_settings(self, service: ServiceSpec) -> tuple[Any, ...]:
        if service.settings_model is None:
            return ()
        given = self.spec.services.get(service.name, {})
        return (build_settings(service.settings_model, given),)

    def _adapter_settings(self, role: str, spec: AdapterSpec) -> tuple[Any, ...]:
        choice: AdapterSettings = getattr(self.spec, role)
        if spec.settings_model is None:
            return ()
        return (build_settings(spec.settings_model, choice.settings),)
