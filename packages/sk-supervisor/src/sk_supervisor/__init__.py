"""Process groups, supervisors and the worker runtime of stream kernel."""

import typing as _typing

from sk_supervisor._lazy import __getattr__ as __getattr__

if _typing.TYPE_CHECKING:
    from sk_supervisor._bundle import ChildBootstrapBundle
    from sk_supervisor._execute import run
    from sk_supervisor._ladder import Rung
    from sk_supervisor._local import LocalBootstrapSupervisor
    from sk_supervisor._multiprocess import MultiprocessBootstrapSupervisor
    from sk_supervisor._preflight import Prepared, prepare
    from sk_supervisor._profile_run import run_profiled
    from sk_supervisor._serve import Service, serve
    from sk_supervisor._supervisors import supervisor_of
    from sk_supervisor._timeline_events import read_events
    from sk_supervisor._timeline_page import timeline_html
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
    "prepare",
    "read_events",
    "run",
    "run_profiled",
    "serve",
    "supervisor_of",
    "timeline_html",
]
