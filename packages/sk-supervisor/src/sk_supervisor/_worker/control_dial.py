"""A worker dials its supervisor: the control session that all else comes by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sk_control import (
    ControlMessage,
    ControlPlaneChannel,
    ControlSettings,
    HelloRefusedError,
    RefusalCode,
    WorkerIdentity,
)
from sk_transport import Secret

from sk_supervisor._worker.signals import leave_at_once

#: How often a worker that is evicted before its hello was read dials, and the pause between.
_DIALS = 4
_REDIAL_SECONDS = 0.05


def dial_supervisor(
    assignment: dict[str, Any], on_message: Callable[[ControlMessage], None]
) -> ControlPlaneChannel:
    """Open the session; in a flood of strangers an honest worker is evicted with them.

    :param assignment: what came through the spawn pipe; the token is taken out of it.
    :param on_message: hears the supervisor, in threads of gRPC's.
    :raises ControlError: when the supervisor refuses it, or cannot be reached in time.
    """
    token = Secret(bytes.fromhex(assignment.pop("token")))
    for _ in range(_DIALS - 1):
        try:
            return _dial(assignment, token, on_message)
        except HelloRefusedError as refused:
            if refused.code != RefusalCode.EVICTED:
                raise
        time.sleep(_REDIAL_SECONDS)
    return _dial(assignment, token, on_message)


def _dial(
    assignment: dict[str, Any], token: Secret, on_message: Callable[[ControlMessage], None]
) -> ControlPlaneChannel:
    identity = (
        assignment["worker_id"],
        assignment["group"],
        assignment["index"],
        assignment["incarnation"],
    )
    return ControlPlaneChannel.connect(
        assignment["address"],
        assignment["session_id"],
        WorkerIdentity(*identity),
        token,
        on_message=on_message,
        on_lost=leave_at_once,
        timeout_seconds=assignment["deadline_seconds"],
        settings=ControlSettings(**assignment["control"]),
    )
