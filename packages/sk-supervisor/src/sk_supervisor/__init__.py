"""Process groups, supervisors and the worker runtime of stream kernel."""

import typing as _typing

from sk_supervisor._lazy import __dir__ as __dir__
from sk_supervisor._lazy import __getattr__ as __getattr__

if _typing.TYPE_CHECKING:
    from sk_supervisor._lives.ladder import Rung
    from sk_supervisor._memory.supervisor import LocalBootstrapSupervisor
    from sk_supervisor._pages.timeline_events import read_events
    from sk_supervisor._pages.timeline_page import timeline_html
    from sk_supervisor._plan.preflight import Prepared, application_spec, prepare
    from sk_supervisor._plan.supervisors import supervisor_of
    from sk_supervisor._protocol.bundle import (
        ChildBootstrapBundle,
        LoadedBundle,
        load_child_bootstrap_bundle,
    )
    from sk_supervisor._run.execute import run
    from sk_supervisor._run.process_groups import configure_process_groups
    from sk_supervisor._run.profile_run import run_profiled
    from sk_supervisor._run.serve import Service, serve
    from sk_supervisor._supervisor.multiprocess import MultiprocessBootstrapSupervisor
    from sk_supervisor.errors import (
        ApplicationExitError,
        BundleRejectedError,
        HandoffError,
        HandoffFailedError,
        HandoffTimeoutError,
        HandoffTransportError,
        HealthBindError,
        HubFailedError,
        NotRecordedError,
        ProfileError,
        RecordedFileError,
        RunRefusedError,
        RuntimeLifecycleReadyError,
        RuntimeLifecycleResolutionError,
        RuntimeWorkerFailedError,
        ServiceFailedError,
        StartInterruptedError,
        StopForcedError,
        StopTimeoutError,
        SupervisorError,
        SystemLimitError,
    )

__version__ = "0.1.0"

__all__ = [
    "ApplicationExitError",
    "BundleRejectedError",
    "ChildBootstrapBundle",
    "HandoffError",
    "HandoffFailedError",
    "HandoffTimeoutError",
    "HandoffTransportError",
    "HealthBindError",
    "HubFailedError",
    "LoadedBundle",
    "LocalBootstrapSupervisor",
    "MultiprocessBootstrapSupervisor",
    "NotRecordedError",
    "Prepared",
    "ProfileError",
    "RecordedFileError",
    "RunRefusedError",
    "Rung",
    "RuntimeLifecycleReadyError",
    "RuntimeLifecycleResolutionError",
    "RuntimeWorkerFailedError",
    "Service",
    "ServiceFailedError",
    "StartInterruptedError",
    "StopForcedError",
    "StopTimeoutError",
    "SupervisorError",
    "SystemLimitError",
    "application_spec",
    "configure_process_groups",
    "load_child_bootstrap_bundle",
    "prepare",
    "read_events",
    "run",
    "run_profiled",
    "serve",
    "supervisor_of",
    "timeline_html",
]
