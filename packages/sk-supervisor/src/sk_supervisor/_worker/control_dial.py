"""A worker opens the control session with its supervisor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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

from sk_supervisor._worker.dialling import dialled
from sk_supervisor._worker.signals import leave_at_once


def dial_supervisor(
    assignment: dict[str, Any], on_message: Callable[[ControlMessage], None]
) -> ControlPlaneChannel:
    """Open the session; dial again if the hello was not read in time, as in a connection flood.

    :param assignment: the assignment that the spawn pipe carried; the token is removed from it.
    :param on_message: called with the supervisor's messages, in threads of gRPC.
    :raises ControlError: when the supervisor rejects the worker, or cannot be reached in time.
    """
    token = Secret(bytes.fromhex(assignment.pop("token")))
    return dialled(partial(_dial, assignment, token, on_message), _came_too_late)


def _came_too_late(error: Exception) -> bool:
    late = (RefusalCode.EVICTED, RefusalCode.OUTSIDE_TTL)
    return isinstance(error, HelloRefusedError) and error.code in late


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
