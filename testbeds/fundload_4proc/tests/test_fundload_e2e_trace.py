"""One run, watched: its traces and its lifecycle, in memory and over four processes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from e2e_bench import GROUPS, Bench, reference, run_options

RECORDS = 100
TIMELINE = [
    "worker_spawned",
    "worker_bootstrap_loaded",
    "worker_ready",
    "worker_running",
    "worker_drained",
    "worker_stopping",
    "worker_stopped",
]
GROUP_TIMELINE = ["group_ready", "group_running", "group_stopping", "group_stopped"]


def watched(bench: Bench, profile: str, data: bytes) -> tuple[list[Any], list[Any]]:
    """Run with every span and event exported; give both, the output being right."""
    bench.write("in", data)
    kinds = ("tracing", "logging")
    exporters = [
        f"runtime.observability.{kind}.exporters="
        f"[{{kind: jsonl, settings: {{path: {profile}-{kind}}}}}]"
        for kind in kinds
    ]
    options = [word for exporter in exporters for word in ("--set", exporter)]
    files = run_options("exp_mp", profile, input="in", output="out", rejects="rejects")
    ended = bench.run(*files, "--run-id", "a-run", "--quiet", *options)
    assert (ended.code, ended.said) == (0, "")
    assert (bench.read("out"), bench.read("rejects")) == reference(data)
    spans, events = (
        [json.loads(line) for line in bench.read(f"{profile}-{kind}").splitlines()]
        for kind in kinds
    )
    return spans, events


@pytest.mark.contract("P5PRE-ENV-01", "P5PRE-SMOKE-03", "P5PRE-SMOKE-04")
def test_traces_and_lifecycle_are_the_same_story_in_both_profiles(
    bench: Bench, dirty: bytes
) -> None:
    """Identity and parentage survive every hop, and nothing of them is in the output."""
    data = b"".join(dirty.splitlines(keepends=True)[:RECORDS])
    alone, _ = watched(bench, "memory", data)
    spans, events = watched(bench, "multiprocess", data)
    assert sorted(map(identity, spans)) == sorted(map(identity, alone))
    by_id = {span["span_id"]: span for span in spans}
    for span in spans:
        parent = by_id.get(span["parent_id"])
        if parent is not None and parent["process_group"] != span["process_group"]:
            assert span["handoff_from"] == parent["process_group"]
    readable = [hops for hops in map(groups_of, traces(spans).values()) if len(hops) == 4]
    assert len(readable) > RECORDS / 2
    assert all(hops == GROUPS for hops in readable)
    tell_the_timeline(events)


def identity(span: dict[str, Any]) -> tuple[str, ...]:
    keys = ("trace_id", "span_id", "parent_id", "name", "sequence")
    return tuple(str(span[key]) for key in keys)


def traces(spans: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for span in spans:
        found.setdefault(span["trace_id"], []).append(span)
    return found


def groups_of(trace: list[Any]) -> tuple[str, ...]:
    """The groups that a trace runs through, in order."""
    hops = {span["process_group"]: span["route_hop"] for span in trace}
    return tuple(sorted(hops, key=lambda group: hops[group]))


def tell_the_timeline(events: list[Any]) -> None:
    """Each worker's story is the same; nobody runs before all are ready."""
    assert {event["correlation_id"] for event in events} == {"a-run"}
    assert all(before["sequence"] < after["sequence"] for before, after in pairwise(events))
    names = [event["event"] for event in events]
    assert max(place(names, "worker_ready")) < min(place(names, "worker_running"))
    assert [e["group"] for e in events if e["event"] == "worker_spawned"] == list(GROUPS)
    for group in GROUPS:
        own = [event for event in events if event["group"] == group]
        assert [event["event"] for event in own if event["worker"]] == TIMELINE
        assert [event["event"] for event in own if not event["worker"]] == GROUP_TIMELINE


def place(names: list[str], name: str) -> list[int]:
    return [number for number, each in enumerate(names) if each == name]
