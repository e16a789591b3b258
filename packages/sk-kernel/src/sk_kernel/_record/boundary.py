"""The messages between a caller and the process groups: dispatches out, terminal events back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from sk_kernel._record.envelope import EMPTY_HEADERS, Envelope

TerminalStatus = Literal["success", "error", "timeout", "cancelled"]
"""How a request ended."""


class TerminalEvent(msgspec.Struct, frozen=True):
    """The end of a request: one of four outcomes, under one trace id.

    ``payload`` is the reply of a ``success`` and None otherwise. For a failure, ``category`` is one
    of ``timeout``, ``transport``, ``execution`` and ``cancelled``, and ``error`` is a sanitised
    sentence (never a raw exception text). As far as they are known, ``group``, ``worker`` and
    ``node`` are the place of the failure, and ``cause_type`` the type of the exception there.
    """

    trace_id: str
    status: TerminalStatus
    payload: Any = None
    error: str = ""
    category: str = ""
    group: str = ""
    node: str = ""
    cause_type: str = ""
    worker: str = ""


class BoundaryDispatchInput(msgspec.Struct, frozen=True):
    """A payload on its way to the node ``target`` in another process group, ``dispatch_group``."""

    payload: Any
    dispatch_group: str
    target: str
    trace_id: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] = EMPTY_HEADERS


class RoutingResult(msgspec.Struct, frozen=True):
    """Where the outputs of a step go next.

    Local deliveries are envelopes whose ``target`` is a node of the own group, boundary deliveries
    are for other groups, and terminal outputs go no further: they are the replies.
    """

    local_deliveries: Sequence[Envelope[Any]] = ()
    boundary_deliveries: Sequence[BoundaryDispatchInput] = ()
    terminal_outputs: Sequence[Envelope[Any]] = ()
