"""`runtime.platform`: where nodes run, and how the processes are started, watched and stopped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Count, Flag, GroupName, Label, Name, Seconds, Workers
from sk_config._finding import Finding
from sk_config._model_admin import AdminConfig
from sk_config._model_health import HealthConfig
from sk_config._model_ipc import ExecutionIpcConfig
from sk_config._model_requests import RequestsConfig, RoutingCacheConfig
from sk_config._model_restart import RestartConfig
from sk_config._rules_groups import group_findings, platform_findings

_START_TIMEOUT = 30


class BootstrapConfig(ConfigModel):
    """The profile: which supervisor runs the graph."""

    mode: Label = Field(
        default="inline",
        description="`inline`: memory profile, one process; `process_supervisor`: multiprocess"
        " profile, worker processes; or a supervisor that an installed package provides",
    )


class GroupConfig(ConfigModel):
    """A process group: the nodes that its workers run, and the limits of these workers."""

    name: GroupName = Field(description="Name of the group; unique")
    nodes: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by name")
    stages: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by stage")
    tags: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by tag")
    runners: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by runner")
    workers: Workers = Field(default=1, description="Number of worker processes")
    runner_profile: Literal["sync", "async"] = Field(
        default="sync",
        description="`async`: each worker has one event loop, for coroutine nodes",
    )
    heartbeat_seconds: Seconds = Field(
        default=5,
        description="Interval of heartbeats in seconds; after three missing ones a worker fails",
    )
    stuck_after_seconds: Seconds | None = Field(
        default=60,
        description="Seconds without progress, while work is waiting, after which a worker is"
        " stuck; null: no limit",
    )
    on_stuck: Literal["report", "fail"] = Field(
        default="report", description="Whether a stuck worker is reported, or fails"
    )
    max_rss_bytes: Count | None = Field(
        default=None,
        description="Resident memory in bytes above which a worker fails; null: no limit",
    )
    start_timeout_seconds: Seconds = Field(
        default=_START_TIMEOUT, description="Seconds until a started worker must be ready"
    )
    stop_timeout_seconds: Seconds = Field(
        default=30,
        description="Seconds that a stop may take, including the drain. The largest value of all"
        " groups applies to the whole run",
    )
    restart: RestartConfig = Field(
        default=RestartConfig(), description="Replacement of failed workers"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return group_findings(self.model_dump())


class ReadinessConfig(ConfigModel):
    """The gate that holds the source back until workers are ready. Rarely changed."""

    enabled: Flag = Field(
        default=True,
        description="Whether there is a gate. Without it, each worker starts work when it is ready",
    )
    start_work_on_all_groups_ready: Flag = Field(
        default=True,
        description="true: the gate waits for every group; false: a group starts when it and all"
        " groups downstream of it are ready",
    )
    readiness_timeout_seconds: Seconds | None = Field(
        default=None,
        description="Seconds until all workers must be ready, with or without a gate; null: the"
        " largest start timeout of the groups",
    )


class BatchConfig(ConfigModel):
    """How records are batched. A batch is closed when it is full or the source would block."""

    max_records: Count = Field(default=1_000, description="Maximum number of records in a batch")
    max_bytes: Count = Field(
        default=1_048_576, description="Bytes, as read from the source, at which a batch is full"
    )
    in_flight: Count = Field(
        default=16, description="Maximum number of batches between the source and the sink"
    )


class PlatformConfig(ConfigModel):
    """Where nodes run: the supervisor, its process groups, its channels and its limits."""

    bootstrap: BootstrapConfig = Field(default=BootstrapConfig(), description="The profile")
    execution_ipc: ExecutionIpcConfig = Field(
        default=ExecutionIpcConfig(), description="Channels between processes"
    )
    process_groups: tuple[GroupConfig, ...] = Field(
        default=(), description="Process groups, in the order in which they start"
    )
    readiness: ReadinessConfig = Field(
        default=ReadinessConfig(), description="The gate between start and work"
    )
    batch: BatchConfig = Field(default=BatchConfig(), description="Size and number of batches")
    health: HealthConfig = Field(default=HealthConfig(), description="Health endpoints")
    requests: RequestsConfig = Field(
        default=RequestsConfig(), description="Limits for requests to nodes"
    )
    routing_cache: RoutingCacheConfig = Field(
        default=RoutingCacheConfig(), description="Cache of the routes of requests"
    )
    admin: AdminConfig = Field(
        default=AdminConfig(), description="The socket for `sk status` and `sk stop`"
    )

    @property
    def readiness_timeout_seconds(self) -> int:
        """Seconds until all workers must be ready: as configured, or the largest start timeout."""
        configured = self.readiness.readiness_timeout_seconds
        if configured is not None:
            return configured
        timeouts = [group.start_timeout_seconds for group in self.process_groups]
        return max(timeouts, default=_START_TIMEOUT)

    def _broken_rules(self) -> Iterable[Finding]:
        return platform_findings(self.model_dump())
