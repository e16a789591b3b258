"""What is in the lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel import LifecycleEvent, NodeSpan, SpanLink
from sk_observability import build_log_exporters, build_span_exporters
from sk_observability._building.formats import events_as_json, events_as_text, rfc3339, shown

Read = Callable[[Path], list[dict[str, Any]]]
EVENTS = st.builds(
    LifecycleEvent,
    sequence=st.integers(1, 2**40),
    time_ns=st.integers(0, 2**62),
    name=st.text(),
    level=st.sampled_from(["info", "debug"]),
    correlation_id=st.text(),
    group=st.none() | st.text(),
    worker=st.none() | st.text(),
    fields=st.dictionaries(st.text(), st.none() | st.text() | st.integers(-9, 9) | st.booleans()),
)


def write(kind: str, path: Path, events: Sequence[LifecycleEvent]) -> None:
    """Export events and close."""
    [outlet] = build_log_exporters([(kind, {"path": str(path)} if kind == "jsonl" else {})])
    outlet.export(events)
    outlet.close()
    assert outlet.counts.exported == len(events)


def test_an_event_is_one_json_object_with_its_keys_in_a_fixed_order(
    tmp_path: Path, event: Callable[..., LifecycleEvent], lines_of: Read
) -> None:
    path = tmp_path / "events.jsonl"
    full = event(
        7, time_ns=1_709_251_199_000_000_001, group="policy", worker="policy:0:1", fields={"pid": 9}
    )
    write("jsonl", path, [full, event(8)])
    first, second = lines_of(path)
    assert list(first.items()) == [
        ("sequence", 7),
        ("time", "2024-02-29T23:59:59.000000001Z"),
        ("event", "worker_ready"),
        ("level", "info"),
        ("correlation_id", "run-1"),
        ("trace_id", None),
        ("group", "policy"),
        ("worker", "policy:0:1"),
        ("fields", {"pid": 9}),
    ]
    assert list(second) == list(first)


@pytest.mark.parametrize(
    ("name", "level"), [("worker_failed", "error"), ("supervisor_force_stop", "warn")]
)
def test_what_asks_for_attention_says_so_in_every_form(
    event: Callable[..., LifecycleEvent], name: str, level: str
) -> None:
    bad = msgspec.structs.replace(event(1), name=name)
    assert json.loads(events_as_json([bad]))["level"] == level
    assert events_as_text([bad]).split()[1:3] == [level.encode(), name.encode()]


@given(st.lists(EVENTS, max_size=5))
def test_any_events_are_as_many_lines_of_json_that_give_them_back(
    events: list[LifecycleEvent],
) -> None:
    lines = [json.loads(line) for line in events_as_json(events).decode().split("\n")[:-1]]
    assert [(line["sequence"], line["event"], line["fields"]) for line in lines] == [
        (event.sequence, event.name, event.fields) for event in events
    ]


@given(st.lists(EVENTS, max_size=5))
def test_any_events_are_as_many_lines_for_people_and_no_character_moves_the_cursor(
    events: list[LifecycleEvent],
) -> None:
    lines = events_as_text(events).decode().split("\n")
    assert len(lines) == len(events) + 1
    assert all(line.isprintable() for line in lines)


def test_an_event_on_standard_output_is_a_readable_line(
    capfd: pytest.CaptureFixture[str], event: Callable[..., LifecycleEvent]
) -> None:
    fields = {"pid": 12, "detail": "two words", "none": None}
    write("stdout", Path(), [event(3, group="ingress", worker="ingress:0:1", fields=fields)])
    assert capfd.readouterr().out == (
        "1970-01-01T00:00:00.000000000Z info  worker_ready group=ingress worker=ingress:0:1"
        " pid=12 detail='two words' sequence=3 correlation_id=run-1\n"
    )


def test_a_span_is_one_json_object_with_its_keys_in_a_fixed_order(
    tmp_path: Path, span: Callable[..., NodeSpan], lines_of: Read
) -> None:
    path = tmp_path / "spans.jsonl"
    [outlet] = build_span_exporters([("jsonl", {"path": str(path)})], worker="policy:0:1")
    crossed = {"process_group": "policy", "handoff_from": "ingress", "route_hop": 1}
    outlet.export([span(5, parent_id="ab", error="ValueError", **crossed)])
    outlet.close()
    [line] = lines_of(path)
    assert list(line.items()) == [
        ("trace_id", f"{5:032x}"),
        ("span_id", f"{5:016x}"),
        ("parent_id", "ab"),
        ("name", "parse"),
        ("process_group", "policy"),
        ("handoff_from", "ingress"),
        ("route_hop", 1),
        ("sequence", 5),
        ("start_ns", 1_000),
        ("end_ns", 3_500),
        ("error", "ValueError"),
        ("worker", "policy:0:1"),
    ]


def test_a_hop_adds_its_kind_links_and_attributes(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    span: Callable[..., NodeSpan],
    lines_of: Read,
) -> None:
    path = tmp_path / "spans.jsonl"
    sent = span(kind="producer", links=(SpanLink("a", "b"),), attributes={"messaging.system": "x"})
    exporters = build_span_exporters([("jsonl", {"path": str(path)}), ("stdout", {})], worker="w")
    for outlet in exporters:
        outlet.export([sent])
        outlet.close()
    [line] = lines_of(path)
    assert list(line.items())[-4:] == [
        ("worker", "w"),
        ("kind", "producer"),
        ("links", [{"trace_id": "a", "span_id": "b"}]),
        ("attributes", {"messaging.system": "x"}),
    ]
    assert capfd.readouterr().out.endswith(" kind=producer links=1 messaging.system=x\n")


def test_a_span_of_a_run_names_it_behind_its_worker_in_every_form(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    span: Callable[..., NodeSpan],
    lines_of: Read,
) -> None:
    path = tmp_path / "spans.jsonl"
    kinds = [("jsonl", {"path": str(path)}), ("stdout", {})]
    for outlet in build_span_exporters(kinds, worker="w", run_id="r-1"):
        outlet.export([span()])
        outlet.close()
    [line] = lines_of(path)
    assert list(line.items())[-2:] == [("worker", "w"), ("run_id", "r-1")]
    assert capfd.readouterr().out.endswith(" worker=w run_id=r-1\n")


def test_a_span_on_standard_output_is_a_readable_line(
    capfd: pytest.CaptureFixture[str], span: Callable[..., NodeSpan]
) -> None:
    [outlet] = build_span_exporters([("stdout", {})], worker="w")
    outlet.export([span(1, trace_id="t", span_id="s")])
    outlet.close()
    assert capfd.readouterr().out == (
        "1970-01-01T00:00:00.000001000Z span  parse us=2.5 trace_id=t span_id=s name=parse"
        " process_group=ingress route_hop=0 sequence=1 start_ns=1000 end_ns=3500 worker=w\n"
    )


@given(st.integers(0, 253_402_300_799 * 10**9))
def test_a_time_is_read_back_to_the_microsecond_and_keeps_its_nanoseconds(time_ns: int) -> None:
    text = rfc3339(time_ns)
    parsed = datetime.fromisoformat(text)
    assert parsed.tzinfo == UTC
    assert int(parsed.replace(microsecond=0).timestamp()) == time_ns // 10**9
    assert text[-11:] == f".{time_ns % 10**9:09d}Z"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain-word_1:2/3", "plain-word_1:2/3"),
        ("größe", "größe"),
        (1.5, "1.5"),
        ("", "''"),
        ("a b", "'a b'"),
        ("a=b", "'a=b'"),
        ("\x1b[2J", r"'\x1b[2J'"),
        ("a\nb", r"'a\nb'"),
        ("\u2028\u202e", r"'\u2028\u202e'"),
    ],
    ids=ascii,
)
def test_a_value_is_one_word_or_quoted(value: object, text: str) -> None:
    assert shown(value) == text
