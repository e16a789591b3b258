"""Fund load on every engine: the bytes of the reference, one trace a record, one timeline a worker.

Under the baseline rules, which keyed workers can share; the exp_mp rules are in the parity tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from contract_engines import Engine, Part
from e2e_bench import GROUPS, Bench, Expected, reference

RECORDS = 100
INGRESS, FEATURES, POLICY, EGRESS = GROUPS
PARTS = (
    Part(INGRESS, ("source:source", "ingress_line_bridge", "parse_load_attempt")),
    Part(FEATURES, ("compute_time_keys", "idempotency_gate", "compute_features"), shared=True),
    Part(POLICY, ("evaluate_policies", "update_windows"), shared=True),
    Part(EGRESS, ("format_output", "egress_line_bridge", "sink:sink")),
)
WORKER = [
    "worker_spawned",
    "worker_bootstrap_loaded",
    "worker_ready",
    "worker_running",
    "worker_drained",
    "worker_stopping",
    "worker_stopped",
]
#: What a span says of processes and of time.
MARKERS = ("process_group", "handoff_from", "route_hop", "worker", "links", "start_ns", "end_ns")
GROUP = ["group_ready", "group_running", "group_stopping", "group_stopped"]


@dataclass(frozen=True)
class Story:
    """A run with every span and event exported, and what it should have written."""

    expected: Expected
    written: Expected
    spans: list[dict[str, Any]]
    events: list[dict[str, Any]]


def run_on(engine: Engine, bench: Bench, data: bytes) -> Story:
    """Run the built-in configuration with its groups cut as the engine has it."""

    def cut(document: dict[str, Any]) -> None:
        platform = document["runtime"]["platform"]
        platform["process_groups"] = engine.groups(PARTS)
        if not engine.in_processes:
            document["runtime"]["platform"] = {"bootstrap": {"mode": engine.mode}}
        document["runtime"]["observability"] = {
            kind: {"exporters": [{"kind": "jsonl", "settings": {"path": kind}}]}
            for kind in ("tracing", "logging")
        }

    bench.write("in", data)
    config = bench.derived_config("baseline_multiprocess", cut)
    files = ["--input", "in", "--output", "out", "--rejects", "rejects"]
    ended = bench.run("run", "--config", config, *files, "--run-id", "a-run", "--quiet")
    assert (ended.code, ended.said) == (0, "")
    spans, events = (
        [json.loads(line) for line in bench.read(kind).splitlines()]
        for kind in ("tracing", "logging")
    )
    written = Expected(bench.read("out"), bench.read("rejects"))
    return Story(reference(data, "baseline"), written, spans, events)


def few(dirty: bytes) -> bytes:
    return b"".join(dirty.splitlines(keepends=True)[:RECORDS])


@pytest.fixture(scope="session")
def story(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, dirty: bytes
) -> Iterator[Story]:
    """What a run on the engine wrote and told."""
    bench = Bench(tmp_path_factory.mktemp("engine"))
    yield run_on(engine, bench, few(dirty))
    bench.close()


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory, dirty: bytes) -> Iterator[Story]:
    """The same in memory."""
    bench = Bench(tmp_path_factory.mktemp("alone"))
    yield run_on(Engine("memory"), bench, few(dirty))
    bench.close()


@pytest.mark.contract("P5PRE-SMOKE-01", "P5PRE-SMOKE-02")
def test_the_output_is_that_of_the_reference_and_of_memory(story: Story, alone: Story) -> None:
    assert story.written == story.expected == alone.written


@pytest.mark.contract("P5PRE-HANDOFF-03", "P5PRE-HANDOFF-04")
def test_the_topology_of_four_groups_gives_the_same_lines_in_the_same_order(
    story: Story, alone: Story
) -> None:
    assert tuple(dict.fromkeys(e["group"] for e in story.events if e["group"])) == GROUPS
    assert story.written.output.splitlines() == alone.written.output.splitlines()


@pytest.mark.contract("P5PRE-ENV-01")
def test_the_span_tree_is_that_of_memory_but_for_what_tells_of_processes(
    story: Story, alone: Story
) -> None:
    """Those are groups, workers, hops with their links, and times: the rest is byte for byte."""
    assert not any("kind" in span or "links" in span for span in alone.spans)
    assert sorted(map(tree_line, records_of(story))) == sorted(map(tree_line, alone.spans))


@pytest.mark.contract("P5PRE-OBS-06")
def test_each_hop_of_a_batch_is_a_producer_and_a_consumer_with_a_link(story: Story) -> None:
    """A record's first span behind it is linked to the consumer, and there is none without one."""
    hops = {span["span_id"]: span for span in story.spans if "kind" in span}
    consumers = [span for span in hops.values() if span["kind"] == "consumer"]
    sent = {name for name, span in hops.items() if span["kind"] == "producer"}
    assert {link["span_id"] for span in consumers for link in span["links"]} == sent
    assert {span["process_group"] for span in consumers} == set(GROUPS[1:])
    assert {span["trace_id"] for span in hops.values()}.isdisjoint(traces(records_of(story)))
    for span in records_of(story):
        behind = [hops[link["span_id"]] for link in span.get("links", ())]
        crossed = [span["process_group"]] if span["handoff_from"] else []
        assert [(hop["kind"], hop["process_group"], hop["worker"]) for hop in behind] == [
            ("consumer", group, span["worker"]) for group in crossed
        ]


@pytest.mark.contract("P5PRE-SMOKE-03")
def test_one_trace_runs_through_all_four_groups(story: Story) -> None:
    by_id = {span["span_id"]: span for span in records_of(story)}
    for span in records_of(story):
        parent = by_id.get(span["parent_id"])
        if parent is not None and parent["process_group"] != span["process_group"]:
            assert span["handoff_from"] == parent["process_group"]
    readable = [
        hops for hops in map(groups_of, traces(records_of(story)).values()) if len(hops) == 4
    ]
    assert len(readable) > RECORDS / 2
    assert all(hops == GROUPS for hops in readable)


@pytest.mark.contract("P5PRE-SMOKE-04")
def test_each_workers_timeline_is_the_same_and_nobody_runs_before_all_are_ready(
    story: Story, engine: Engine
) -> None:
    events = story.events
    assert {event["correlation_id"] for event in events} == {"a-run"}
    assert all(before["sequence"] < after["sequence"] for before, after in pairwise(events))
    names = [event["event"] for event in events]
    assert max(place(names, "worker_ready")) < min(place(names, "worker_running"))
    spawned = [event["group"] for event in events if event["event"] == "worker_spawned"]
    groups = engine.groups(PARTS)
    assert spawned == [g["name"] for g in groups for _ in range(g.get("workers", 1))]
    for worker in {event["worker"] for event in events if event["worker"]}:
        assert [event["event"] for event in events if event["worker"] == worker] == WORKER
    for group in {event["group"] for event in events if event["group"]}:
        own = [event for event in events if event["group"] == group and not event["worker"]]
        assert [event["event"] for event in own] == GROUP


def records_of(story: Story) -> list[dict[str, Any]]:
    """The spans of records; the others are of hops."""
    return [span for span in story.spans if "kind" not in span]


def tree_line(span: dict[str, Any]) -> str:
    """All that a span says but for where and when."""
    return json.dumps({name: value for name, value in span.items() if name not in MARKERS})


def traces(spans: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for span in spans:
        found.setdefault(span["trace_id"], []).append(span)
    return found


def groups_of(trace: list[Any]) -> tuple[str, ...]:
    """The groups that a trace runs through, in order."""
    hops = {span["process_group"]: span["route_hop"] for span in trace}
    return tuple(sorted(hops, key=lambda group: hops[group]))


def place(names: list[str], name: str) -> list[int]:
    return [number for number, each in enumerate(names) if each == name]
