"""Preflight: all checks that can reject a run before a process is started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import convert
from sk_config import application_data
from sk_kernel import ApplicationSpec, DefinitionError, DiscoveryError, Fault, PreflightError
from sk_kernel.runtime import (
    MEMORY,
    ApplicationContext,
    BatchLimits,
    ExecutionPlan,
    discover,
    letter_file_faults,
    make_plan,
    single_group,
    wire_faults,
)
from sk_observability import check_exporters

from sk_supervisor._lives.ladder import Ladder
from sk_supervisor._plan.health_faults import health_faults
from sk_supervisor._plan.placement import group_faults, place, workers_of
from sk_supervisor._plan.restart_faults import restart_faults
from sk_supervisor._plan.supervisors import INLINE, check_mode
from sk_supervisor._plan.unbuilt import unbuilt_faults
from sk_supervisor._protocol.frames import most_records
from sk_supervisor.errors import RunRefusedError, RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from sk_config import Config, GroupConfig

_FLUSH_SECONDS = 5.0
_SOURCE_SECONDS = 1.0
STOP_SECONDS = 30


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
    def flush_seconds(self) -> float:
        """The time an exporter has at the end of a process, whatever its own settings say.

        It is the part of the longest stop timeout that is left after the longest drain: a receiver
        that hangs must not turn a graceful stop into a forced one. Without groups it is 5 s.
        """
        stops = [group.stop_timeout_seconds for group in self.groups]
        if not stops:
            return _FLUSH_SECONDS
        ladder = Ladder.within(float(max(stops)), 0.0)
        return ladder.stop_until - ladder.drain_until

    @property
    def source_seconds(self) -> float:
        """How long the source may read on after an interrupt: 1 s, but at most half of a drain."""
        budget = max((group.stop_timeout_seconds for group in self.groups), default=STOP_SECONDS)
        return min(_SOURCE_SECONDS, Ladder.within(float(budget), 0.0).drain_until / 2)

    @property
    def stop_seconds(self) -> float:
        """The longest stop timeout of the groups, in any mode; without groups their default."""
        groups = self.groups or self.config.runtime.platform.process_groups
        return float(max((g.stop_timeout_seconds for g in groups), default=STOP_SECONDS))

    @property
    def mode(self) -> str:
        """The bootstrap mode, which names the supervisor."""
        return self.config.runtime.platform.bootstrap.mode

    @property
    def profile(self) -> str:
        """The name of the execution profile, as shown to users."""
        return MEMORY if self.mode == INLINE else self.mode


def application_spec(config: Config) -> ApplicationSpec:
    """The application part of a configuration: its modules, settings, adapters, failure policies.

    `sk_kernel.testing.run_application` accepts it. It contains the configuration's secrets in plain
    text.
    """
    return convert(application_data(config), ApplicationSpec)


def prepare(config: Config, *, run_checks: bool = True) -> Prepared:
    """Discover the application, build its graph, place and plan it, and check the settings.

    :param run_checks: whether to run the checks of source, sink and services, and those of the dead
        letter files.
    :raises RunRefusedError: with every fault found.
    """
    spec, catalogue = application_spec(config), None
    try:
        catalogue = discover(spec.discovery_modules)
        application = ApplicationContext(spec, catalogue=catalogue)
    except (DefinitionError, DiscoveryError, PreflightError) as error:
        found = [*unbuilt_faults(config, error, catalogue), *_platform_faults(config)]
        if run_checks:
            found += letter_file_faults(spec.failure)
        raise RunRefusedError(found) from error
    faults = _platform_faults(config)
    if run_checks:
        faults += _check_faults(application)
    plan = _planned(config, application, faults)
    if faults or plan is None:
        raise RunRefusedError(faults)
    return Prepared(config, application, plan)


def unused_faults(prepared: Prepared) -> list[Fault]:
    """The placement faults of process groups that the configured mode does not use."""
    groups = prepared.config.runtime.platform.process_groups
    if prepared.mode != INLINE or not groups:
        return []
    return place(prepared.application.graph, groups)[1]


def _planned(
    config: Config, application: ApplicationContext, faults: list[Fault]
) -> ExecutionPlan | None:
    graph = application.graph
    platform = config.runtime.platform
    group_of, workers = single_group(graph), {}
    if platform.bootstrap.mode != INLINE and platform.process_groups:
        group_of, unplaced = place(graph, platform.process_groups)
        faults += unplaced + group_faults(graph, group_of, platform.process_groups)
        faults += restart_faults(graph, group_of, application.all_states, platform.process_groups)
        if unplaced:
            return None
        workers = workers_of(platform.process_groups)
        # Within a group of several workers a record may go from one to another.
        crossing = [
            (e.producer, e.payload.cls)
            for e in graph.edges
            if group_of[e.producer] != group_of[e.consumer] or group_of[e.producer] in workers
        ]
        faults += wire_faults(graph, crossing)
    try:
        return make_plan(
            graph,
            group_of,
            application.all_states,
            workers_of=workers,
            key_of=application.state_keys,
        )
    except PreflightError as error:
        faults += error.faults
        return None


def _platform_faults(config: Config) -> list[Fault]:
    return [*_mode_faults(config), *_observability_faults(config), *health_faults(config)]


def _mode_faults(config: Config) -> list[Fault]:
    try:
        check_mode(config.runtime.platform.bootstrap.mode)
    except RuntimeLifecycleResolutionError as error:
        return [Fault(error.wanted, "unavailable", "", error.problem)]
    return []


def _check_faults(application: ApplicationContext) -> list[Fault]:
    try:
        application.run_checks()
    except PreflightError as error:
        return list(error.faults)
    return []


def _observability_faults(config: Config) -> list[Fault]:
    found = check_exporters(
        log=log_choices(config), span=span_choices(config), metric=metric_choices(config)
    )
    return [Fault(fault.path, fault.category, fault.expected, fault.got) for fault in found]


def log_choices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """The configured exporters of lifecycle events."""
    return [(e.kind, dict(e.settings)) for e in config.runtime.observability.logging.exporters]


def span_choices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """The configured exporters of node spans."""
    return [(e.kind, dict(e.settings)) for e in config.runtime.observability.tracing.exporters]


def metric_choices(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """The configured exporters of metrics."""
    return [(e.kind, dict(e.settings)) for e in config.runtime.observability.metrics.exporters]
