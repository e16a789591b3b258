"""A coroutine that nobody waits for any more holds up no other request, and no end of the run."""

from __future__ import annotations

from typing import Any

import pytest
from asked_app import Ask
from asked_hung import Hung
from asking import FOUR, ONE, asked
from sk_kernel import Envelope
from sk_supervisor import serve

PATIENCE = 60.0
MODULES = ("asked_app", "asked_side", "asked_hung")


@pytest.mark.parametrize("groups", [None, ONE, FOUR], ids=["memory", "one group", "four groups"])
def test_behind_one_that_has_timed_out_the_next_is_answered(
    groups: tuple[dict[str, Any], ...] | None,
) -> None:
    if groups:
        first = {**groups[0], "nodes": [*groups[0]["nodes"], "hung"], "runner_profile": "async"}
        groups = (first, *groups[1:])
    with serve(asked(groups, modules=MODULES)) as service:
        lost = service.request(Envelope(Hung(1)), timeout_seconds=0.2)
        behind = service.request(Envelope(Ask(21)), timeout_seconds=PATIENCE)
        assert lost.wait().status == "timeout"
        outcome = behind.wait()
        assert (outcome.status, outcome.payload.n) == ("success", 42)
    assert service.failure is None


def test_in_memory_too_a_drain_waits_half_of_its_time_for_a_request() -> None:
    """And not for the request's own time; the run drains, since nobody holds on to it."""
    brief = [{"name": "one", "nodes": ["hung"], "stop_timeout_seconds": 8}]
    inline = {
        "bootstrap": {"mode": "inline"},
        "execution_ipc": {"transport": "memory"},
        "process_groups": brief,
    }
    with serve(asked(None, platform=inline, modules=MODULES)) as service:
        waiter = service.request(Envelope(Hung(1)), timeout_seconds=3600)
    outcome = waiter.outcome
    assert outcome is not None
    assert outcome.status == "timeout"
    assert service.failure is None
