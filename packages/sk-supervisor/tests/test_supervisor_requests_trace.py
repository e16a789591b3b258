"""Requests that are part of their caller's trace, by `traceparent`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask
from asking import ONE, Gate, asked
from sk_kernel import BoundaryDispatchInput, Envelope
from sk_supervisor import serve

PATIENCE = 30.0
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tenant": "a"}
NOT_SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-00"}


def traced(path: Path, groups: Any, ratio: float) -> Any:
    exporters = [{"kind": "jsonl", "settings": {"path": str(path)}}]
    tracing = {"sampling_ratio": ratio, "exporters": exporters}
    return asked(groups, runtime={"observability": {"tracing": tracing}})


def spans_of(path: Path) -> list[dict[str, Any]]:
    every = [json.loads(line) for line in path.read_text().splitlines()]
    return [span for span in every if span["name"] in ("first", "second", "third", "last")]


@pytest.mark.parametrize("groups", [None, ONE], ids=["memory", "process"])
def test_a_request_is_in_its_callers_trace_which_decides_whether_it_is_recorded(
    tmp_path: Path, groups: Any
) -> None:
    with serve(traced(tmp_path / "spans", groups, ratio=0.000001)) as service:
        outcome = service.request(Envelope(Ask(1), headers=SAMPLED)).wait(PATIENCE)
        service.request(Envelope(Ask(2), headers=NOT_SAMPLED)).wait(PATIENCE)
        own = Envelope(Ask(3), trace_id="mine", headers=SAMPLED)
        named = service.request(own).wait(PATIENCE)
        group = "one" if groups else "memory"
        handed = BoundaryDispatchInput(Ask(4), group, "first", headers=NOT_SAMPLED)
        (reply,) = service.execute_boundary([handed]).terminal_outputs
    assert outcome.trace_id == outcome.payload.trace_id == reply.trace_id == TRACE
    assert outcome.payload.headers == {"tenant": "a"}
    assert named.trace_id == "mine"
    theirs, ours = [], []
    for span in spans_of(tmp_path / "spans"):
        (theirs if span["trace_id"] == TRACE else ours).append(span)
    assert sorted(span["name"] for span in theirs) == ["first", "last", "second", "third"]
    under = {span["parent_id"]: span["name"] for span in theirs}
    assert under[SPAN] == "first"
    (first,) = [span for span in ours if span["name"] == "first"]
    assert first["parent_id"] is None
    assert [(link["trace_id"], link["span_id"]) for link in first["links"]] == [(TRACE, SPAN)]


def test_requests_of_one_trace_may_be_in_flight_together(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    with serve(asked(None)) as service:
        waits = Ask(1, do="wait:first", gate=gate.path)
        first = service.request(Envelope(waits, headers=SAMPLED))
        second = service.request(Envelope(Ask(2), headers=SAMPLED))
        gate.open()
        names = [waiter.wait(PATIENCE).trace_id for waiter in (first, second)]
        seen = [waiter.wait(PATIENCE).payload.trace_id for waiter in (first, second)]
    assert names[0] == TRACE != names[1]
    assert seen == [TRACE, TRACE]


def test_what_is_no_traceparent_stays_a_header() -> None:
    with serve(asked(None)) as service:
        odd = {"traceparent": "yes"}
        outcome = service.request(Envelope(Ask(1), headers=odd)).wait(PATIENCE)
    assert outcome.payload.headers == odd
