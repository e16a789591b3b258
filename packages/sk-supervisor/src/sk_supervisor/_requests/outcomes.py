"""How a request has ended, in the words of the contract: no payload, no text of a node's. Pure."""

from __future__ import annotations

from sk_kernel import RequestExpiredError, TerminalEvent
from sk_kernel.runtime import Answer


def terminal_of(answer: Answer, group: str, worker: str) -> TerminalEvent:
    """What a request has come to; ``group`` and ``worker`` are where a failure happened."""
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
    """A request was lost with a group, or where that cannot be told from its being lost.

    :param worker: the one that was lost, where it is known which.
    """
    return TerminalEvent(
        request,
        "error",
        error=f"remote handoff transport failed for group '{group}'",
        category="transport",
        group=group,
        worker=worker,
    )
