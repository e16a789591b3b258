"""The package's public names; each one is imported when it is first used (PEP 562).

A worker process imports ``sk_supervisor._worker.main`` and with it this package. Importing
everything that only a supervisor needs would cost each worker a tenth of a second.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

_HOMES = {
    "_protocol.bundle": ("ChildBootstrapBundle", "LoadedBundle", "load_child_bootstrap_bundle"),
    "_run.execute": ("run",),
    "_lives.ladder": ("Rung",),
    "_memory.supervisor": ("LocalBootstrapSupervisor",),
    "_supervisor.multiprocess": ("MultiprocessBootstrapSupervisor",),
    "_plan.preflight": ("Prepared", "application_spec", "prepare"),
    "_run.process_groups": ("configure_process_groups",),
    "_run.profile_run": ("run_profiled",),
    "_run.serve": ("Service", "serve"),
    "_plan.supervisors": ("supervisor_of",),
    "_pages.timeline_events": ("read_events",),
    "_pages.timeline_page": ("timeline_html",),
    "errors": (
        "ApplicationExitError",
        "BundleRejectedError",
        "HandoffError",
        "HandoffFailedError",
        "HandoffTimeoutError",
        "HandoffTransportError",
        "HealthBindError",
        "HubFailedError",
        "NotRecordedError",
        "ProfileError",
        "RecordedFileError",
        "RunRefusedError",
        "RuntimeLifecycleReadyError",
        "RuntimeLifecycleResolutionError",
        "RuntimeWorkerFailedError",
        "ServiceFailedError",
        "StartInterruptedError",
        "StopForcedError",
        "StopTimeoutError",
        "SupervisorError",
        "SystemLimitError",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_PACKAGE: Final = vars(sys.modules["sk_supervisor"])


def __getattr__(name: str) -> Any:
    """Import the public name ``name`` and store it in the package.

    :raises ImportError: on a platform that the package does not support.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sk_supervisor' has no attribute {name!r}")
    from sk_supervisor._system.platform import refusal

    if refused := refusal("sk_supervisor"):
        raise ImportError(refused, name="sk_supervisor")
    found = getattr(import_module(f"sk_supervisor.{_HOME_OF[name]}"), name)
    return _PACKAGE.setdefault(name, found)


def __dir__() -> list[str]:
    """Return the names of the package, including those that are not imported yet."""
    return sorted({*_PACKAGE, *_HOME_OF})
