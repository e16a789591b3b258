"""Preflight: everything that can be refused is refused here, before a process exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sk_kernel import (
    AdapterSettings,
    ApplicationContext,
    ApplicationSpec,
    BatchLimits,
    DefinitionError,
    DiscoveryError,
    ExecutionPlan,
    Fault,
    PreflightError,
    make_plan,
    single_group,
    wire_faults,
)
from sk_observability import check_exporters

from sk_supervisor._frames import most_records
from sk_supervisor._placement import group_faults, place
from sk_supervisor.errors import RunRefusedError

if TYPE_CHECKING:
    from sk_config import Config, GroupConfig


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration that can run: its application, placed and planned."""

    config: Config
    application: ApplicationContext
    plan: ExecutionPlan

    @property
    def groups(self) -> tuple[GroupConfig, ...]:
        """The process groups that hold a vertex, in configuration order."""
        used = {s.group for s in self.plan.segments}
        return tuple(g for g in self.config.runtime.platform.process_groups if g.name in used)

    @property
    def limits(self) -> BatchLimits:
        """The batch limits."""
        batch = self.config.runtime.platform.batch
        most = most_records(self.config.runtime.platform.execution_ipc.max_header_bytes)
        return BatchLimits(min(batch.max_records, most), batch.max_bytes, batch.in_flight)

    @property
    def multiprocess(self) -> bool:
        """Whether the groups are processes of their own."""
        return self.config.runtime.platform.bootstrap.mode == "process_supervisor"


def application_spec(config: Config) -> ApplicationSpec:
    """The application part of a configuration."""
    source, sink = config.adapters.source, config.adapters.sink
    return ApplicationSpec(
        scenario=config.scenario.name,
        discovery_modules=list(config.runtime.discovery_modules),
        nodes={name: dict(settings) for name, settings in config.nodes.items()},
        source=AdapterSettings(source.name, dict(source.settings)) if source else None,
        sink=AdapterSettings(sink.name, dict(sink.settings)) if sink else None,
    )


def prepare(config: Config, *, check_adapters: bool = True) -> Prepared:
    """Discover, connect, place, plan and check.

    :raises RunRefusedError: with every fault found.
    """
    try:
        application = ApplicationContext(application_spec(config))
    except (DefinitionError, DiscoveryError) as error:
        raise RunRefusedError(
            [Fault("runtime.discovery_modules", "discovery", str(error))]
        ) from error
    except PreflightError as error:
        raise RunRefusedError([*error.faults, *_observability_faults(config)]) from error
    faults = _observability_faults(config)
    if check_adapters:
        faults += _adapter_faults(application)
    plan = _planned(config, application, faults)
    if faults or plan is None:
        raise RunRefusedError(faults)
    return Prepared(config, application, plan)


def _planned(
    config: Config, application: ApplicationContext, faults: list[Fault]
) -> ExecutionPlan | None:
    graph = application.graph
    platform = config.runtime.platform
    group_of = single_group(graph)
    if platform.bootstrap.mode == "process_supervisor":
        group_of, unplaced = place(graph, platform.process_groups)
        faults += unplaced + group_faults(graph, group_of, platform.process_groups)
        if unplaced:
            return None
        crossing = [
            (e.producer, e.payload.cls)
            for e in graph.edges
            if group_of[e.producer] != group_of[e.consumer]
        ]
        faults += wire_faults(graph, crossing)
    try:
        return make_plan(graph, group_of, application.all_states)
    except PreflightError as error:
        faults += error.faults
        return None


def _adapter_faults(application: ApplicationContext) -> list[Fault]:
    try:
        application.check_adapters()
    except PreflightError as error:
        return list(error.faults)
    return []


def _observability_faults(config: Config) -> list[Fault]:
    found = check_exporters(log=log_choices(config), span=span_choices(config))
    return [Fault(fault.path, fault.category, fault.expected) for fault in found]


def log_choices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """The configured exporters of lifecycle events."""
    return [(e.kind, dict(e.settings)) for e in config.runtime.observability.logging.exporters]


def span_choices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """The configured exporters of node spans."""
    return [(e.kind, dict(e.settings)) for e in config.runtime.observability.tracing.exporters]
