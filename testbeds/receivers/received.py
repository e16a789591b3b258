"""A span as a receiver tells it, whoever that is, and what must hold of all of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

GROUPS = ("execution.ingress", "execution.features", "execution.policy", "execution.egress")
PATH = (
    "source:source",
    "ingress_line_bridge",
    "parse_load_attempt",
    "compute_time_keys",
    "idempotency_gate",
    "compute_features",
    "evaluate_policies",
    "update_windows",
    "format_output",
    "egress_line_bridge",
    "sink:sink",
)
"""The nodes that a readable record passes, each the parent of the next."""


class Received(NamedTuple):
    """What every receiver keeps of a span."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    group: str
    handoff_from: str | None
    hop: int
    sequence: int


def written(path: Path) -> list[Received]:
    """Give the spans of the run's own account, which the exporter `jsonl` wrote."""
    lines = map(json.loads, path.read_bytes().splitlines())
    return [
        Received(
            line["trace_id"],
            line["span_id"],
            line["parent_id"],
            line["name"],
            line["process_group"],
            line["handoff_from"],
            line["route_hop"],
            line["sequence"],
        )
        for line in lines
    ]


def expect_whole_traces(spans: Sequence[Received], records: int) -> None:
    """Hold that each record has its trace, and that one passes all four groups in one piece."""
    traces: dict[str, list[Received]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    of_records = [trace for trace in traces.values() if any(s.name == PATH[0] for s in trace)]
    numbers = sorted(trace[0].sequence for trace in of_records)
    assert numbers == list(range(1, records + 1)), f"traces of the records {numbers}"
    whole = [trace for trace in of_records if len(trace) == len(PATH)]
    assert len(whole) > records / 2, "most records can be read, and are seen by every node"
    for trace in whole:
        chain = chained(trace)
        assert tuple(span.name for span in chain) == PATH, chain
        assert tuple(dict.fromkeys(span.group for span in chain)) == GROUPS, chain
        assert [span.hop for span in chain] == sorted(span.hop for span in chain), chain
        handed = [span.handoff_from for span in chain if span.handoff_from is not None]
        assert tuple(handed) == GROUPS[:-1], chain


def chained(trace: Iterable[Received]) -> list[Received]:
    """Give the spans from the one without a parent on, each the parent of the next."""
    below = {span.parent_id: span for span in trace}
    chain: list[Received] = []
    above: str | None = None
    while above in below:
        chain.append(below.pop(above))
        above = chain[-1].span_id
    assert not below, f"no parent among the spans of the trace: {sorted(below.values())}"
    return chain
