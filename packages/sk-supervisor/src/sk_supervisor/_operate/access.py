"""Opening the admin socket of a run, and connecting its commands to the run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sk_kernel import BootstrapSupervisor
from sk_observability import LifecycleLog

from sk_supervisor._operate.admin import AdminServer, Controls
from sk_supervisor._operate.entries import AdminListener, RunInfo
from sk_supervisor._operate.rundir import made
from sk_supervisor._show.board import BY_COMMAND
from sk_supervisor._show.display import Display
from sk_supervisor.errors import RunDirError

if TYPE_CHECKING:
    from sk_config import Config

#: The stop reason of a stop that was requested over the socket.
REASON = "sk stop"


def open_admin(
    config: Config,
    run_id: str,
    supervisor: BootstrapSupervisor,
    log: LifecycleLog,
    display: Display,
    *,
    break_in: Callable[[], None],
) -> AdminServer | None:
    """Open the admin socket as ``runtime.platform.admin`` says; None if it has no socket.

    That is when it is disabled, or cannot be opened and is not required.

    :param display: shows a warning if the socket cannot be opened, and the progress of a stop.
    :param break_in: interrupts a supervisor that works in the caller's thread, on a forced stop.
    :raises RunDirError: when the socket cannot be opened and the configuration requires it.
    """
    admin = config.runtime.platform.admin
    if admin.enabled is False:
        return None
    info = RunInfo(run_id, os.getpid(), config.scenario.name, time.time())

    def stop(force: bool) -> None:
        if not force:
            display.stopping(BY_COMMAND)
        supervisor.request_stop(REASON, force=force)
        if force and supervisor.works_in_caller:
            break_in()

    def refused(category: str) -> None:
        log.emit("admin_refused", level="debug", fields={"category": category})

    controls = Controls(supervisor.snapshot, supervisor.subscribe, stop, refused)
    try:
        listener = AdminListener(made(admin.run_dir), info)
        server = _server(listener, controls)
    except RunDirError as error:
        if admin.enabled:
            raise
        log.emit("admin_unavailable", fields={"path": error.path, "problem": error.problem})
        display.notice(f"warning: sk status and sk stop cannot reach this run: {error}")
        return None
    log.emit("admin_listening", level="debug", fields={"socket": str(listener.path)})
    return server


def _server(listener: AdminListener, controls: Controls) -> AdminServer:
    try:
        return AdminServer(listener, controls)
    except OSError as error:
        raise RunDirError(listener.path.parent, error.strerror or str(error)) from error
