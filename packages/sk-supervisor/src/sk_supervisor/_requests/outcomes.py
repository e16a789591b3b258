"""Outcomes of requests: failures without payloads or texts that a node raised. Pure."""

from __future__ import annotations

from sk_kernel import RequestExpiredError, TerminalEvent
from sk_kernel.runtime import Answer


def terminal_of(answer: Answer, group: str, worker: str) -> TerminalEvent:
    """The outcome that an answer stands for; ``group`` and ``worker`` are where it failed."""
    if not answer.cause_type:
        return TerminalEvent(answer.request, "success", answer.payload)
    late = answer.cause_type == RequestExpiredError.__name__
    return TerminalEvent(
        answer.request,
        "timeout" if late else "error",
        error=f"remote handoff {'timed out' if late else 'failed'} for group '{group}'",
        category="timeout" if late else "execution",
        group=group,
        node=answer.node,
        cause_type=answer.cause_type,
        worker=worker,
    )


def transport_failure(request: str, group: str, worker: str = "") -> TerminalEvent:
    """The outcome of a request that was, or may have been, lost with a group.

    :param worker: the worker that was lost, if it is known.
    """
    return TerminalEvent(
        request,
        "error",
        error=f"remote handoff transport failed for group '{group}'",
        category="transport",
        group=group,
        worker=worker,
    )
