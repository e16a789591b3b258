"""The names of the lifecycle's checkpoints."""

from __future__ import annotations

from enum import StrEnum


class EventName(StrEnum):
    """The checkpoints of every worker and of the supervisor; other events have other names."""

    SUPERVISOR_START_GROUPS = "supervisor_start_groups"
    WORKER_SPAWNED = "worker_spawned"
    WORKER_BOOTSTRAP_LOADED = "worker_bootstrap_loaded"
    SUPERVISOR_WAIT_READY = "supervisor_wait_ready"
    WORKER_READY = "worker_ready"
    SUPERVISOR_START_WORKLOAD = "supervisor_start_workload"
    WORKER_RUNNING = "worker_running"
    SUPERVISOR_GRACEFUL_STOP = "supervisor_graceful_stop"
    WORKER_STOPPING = "worker_stopping"
    WORKER_STOPPED = "worker_stopped"
    WORKER_FAILED = "worker_failed"
    SUPERVISOR_FORCE_STOP = "supervisor_force_stop"
