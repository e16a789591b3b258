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
    """Which supervisor runs the graph."""

    mode: Label = Field(
        default="inline",
        description="inline runs all in this process, process_supervisor a process per worker;"
        " other names are those of supervisors that installed packages provide",
    )


class GroupConfig(ConfigModel):
    """A process group: which nodes its workers run, and the limits of those workers."""

    name: GroupName = Field(description="The name of the group, unlike that of any other")
    nodes: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by name")
    stages: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by their stage")
    tags: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by a tag")
    runners: tuple[Name, ...] = Field(default=(), description="Nodes of the group, by their runner")
    workers: Workers = Field(default=1, description="Worker processes of the group")
    runner_profile: Literal["sync", "async"] = Field(
        default="sync",
        description="async runs coroutine nodes on one event loop per worker",
    )
    heartbeat_seconds: Seconds = Field(
        default=5, description="Seconds between two signs of life of a worker"
    )
    stuck_after_seconds: Seconds | None = Field(
        default=60,
        description="Seconds that a worker may make no progress while work waits; null: no limit",
    )
    on_stuck: Literal["report", "fail"] = Field(
        default="report", description="Whether a worker that is stuck is only reported, or fails"
    )
    max_rss_bytes: Count | None = Field(
        default=None,
        description="Resident bytes above which a worker has failed; null: no limit",
    )
    start_timeout_seconds: Seconds = Field(
        default=_START_TIMEOUT, description="Seconds that a worker may take to say that it is ready"
    )
    stop_timeout_seconds: Seconds = Field(
        default=30,
        description="Seconds that a stop may take, drain and all; of all groups the largest "
        "applies, to the whole run",
    )
    restart: RestartConfig = Field(
        default=RestartConfig(), description="What follows when a worker of the group fails"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return group_findings(self.model_dump())


class ReadinessConfig(ConfigModel):
    """The gate between start and work: no source is read before all required workers are ready."""

    enabled: Flag = Field(
        default=True,
        description="Whether there is a gate; without one a worker starts as soon as it is ready",
    )
    start_work_on_all_groups_ready: Flag = Field(
        default=True,
        description="Whether the gate waits for every group; "
        "otherwise a group passes it when it and all groups downstream of it are ready",
    )
    readiness_timeout_seconds: Seconds | None = Field(
        default=None,
        description="Seconds until all must be ready, with the gate or without; "
        "null: the groups' largest start timeout",
    )


class BatchConfig(ConfigModel):
    """How records are batched; a batch is closed when it is full or when the source would block."""

    max_records: Count = Field(default=1_000, description="Records in a full batch")
    max_bytes: Count = Field(default=1_048_576, description="Encoded bytes in a full batch")
    in_flight: Count = Field(
        default=16, description="Batches that may be between the source and the sink"
    )


class PlatformConfig(ConfigModel):
    """Where nodes run: the supervisor, its process groups, and what serves them."""

    bootstrap: BootstrapConfig = Field(
        default=BootstrapConfig(), description="Which supervisor runs the graph"
    )
    execution_ipc: ExecutionIpcConfig = Field(
        default=ExecutionIpcConfig(), description="How processes talk to each other"
    )
    process_groups: tuple[GroupConfig, ...] = Field(
        default=(), description="The process groups, in the order in which they start"
    )
    readiness: ReadinessConfig = Field(
        default=ReadinessConfig(), description="The gate between start and work"
    )
    batch: BatchConfig = Field(default=BatchConfig(), description="How records are batched")
    health: HealthConfig = Field(
        default=HealthConfig(), description="What answers an orchestrator's probes"
    )
    requests: RequestsConfig = Field(
        default=RequestsConfig(), description="Limits for requests to the run's nodes"
    )
    routing_cache: RoutingCacheConfig = Field(
        default=RoutingCacheConfig(), description="The cache of the routes that requests take"
    )
    admin: AdminConfig = Field(
        default=AdminConfig(), description="The local socket of sk status and sk stop"
    )

    @property
    def readiness_timeout_seconds(self) -> int:
        """Seconds until all must be ready: the configured ones, or the largest start timeout."""
        configured = self.readiness.readiness_timeout_seconds
        if configured is not None:
            return configured
        timeouts = [group.start_timeout_seconds for group in self.process_groups]
        return max(timeouts, default=_START_TIMEOUT)

    def _broken_rules(self) -> Iterable[Finding]:
        return platform_findings(self.model_dump())
