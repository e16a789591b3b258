"""The smoke report: what counts as equal, and what a reader is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from parity import fingerprint
from sk_observability.testing import ReceivedSpan
from smoke_report import SmokeCase, SmokeReport, discard_smoke, write_smoke
from smoke_telemetry import SmokeTelemetry, compared

SCRIPT = Path(__file__).resolve().parent.parent / "run_smoke.py"
TELEMETRY = SmokeTelemetry(
    records=3, whole=3, created=7, exported={"jsonl": 7}, dropped=0, written=7, received=7
)
YES = b'{"id":"1","customer_id":"2","accepted":true}\n'
NO = b'{"id":"1","customer_id":"2","accepted":false}\n'
SOURCE = fingerprint("generated 1, seed 1", b"in\n")


def case(*, memory: bytes = YES, four: bytes = YES, rejects: bytes = b"") -> SmokeCase:
    outputs = {"memory": memory, "multiprocess": four}
    return SmokeCase(
        rules="exp_mp",
        seconds={"memory": 0.5, "multiprocess": 1.25},
        outputs={label: fingerprint(label, data) for label, data in outputs.items()},
        rejects={
            "memory": fingerprint("memory", b""),
            "multiprocess": fingerprint("multiprocess", rejects),
        },
    )


def report(*cases: SmokeCase) -> SmokeReport:
    return SmokeReport({"python": "3.11.0"}, SOURCE, cases, TELEMETRY)


def test_the_same_bytes_are_ok() -> None:
    assert case().ok


@pytest.mark.parametrize(
    "bad",
    [case(four=NO), case(memory=NO), case(rejects=b"{}\n"), case(memory=b"", four=b"")],
    ids=["output", "memory output", "rejects", "nothing at all"],
)
def test_other_bytes_and_no_bytes_are_not(bad: SmokeCase) -> None:
    assert not bad.ok
    assert not report(case(), bad).ok


def test_a_report_without_cases_is_not_ok() -> None:
    assert not report().ok


def test_the_table_shows_lines_seconds_and_the_verdict() -> None:
    heading, row, verdict, telemetry = report(case()).table().splitlines()
    assert heading.split()[:2] == ["rules", "lines"]
    digest = fingerprint("", YES).sha256[:12]
    assert row.split() == ["exp_mp", "1", "0", "0.50", "1.25", digest, "yes"]
    assert verdict == "generated 1, seed 1: the same bytes in both profiles"
    assert telemetry.endswith("exported by jsonl 7, received 7: nothing lost")
    assert "THE PROFILES DIFFER\n" in report(case(four=NO)).table()


def test_json_and_markdown_say_the_same(tmp_path: Path) -> None:
    as_json, as_markdown = write_smoke(report(case(), case(four=NO)), tmp_path / "new")
    document = json.loads(as_json.read_bytes())
    assert (document["schema"], document["ok"]) == (1, False)
    assert [one["ok"] for one in document["cases"]] == [True, False]
    assert document["input"]["sha256"] == SOURCE.sha256
    assert document["cases"][0]["seconds"] == {"memory": 0.5, "multiprocess": 1.25}
    assert [file["label"] for file in document["cases"][0]["outputs"]] == ["memory", "multiprocess"]
    text = as_markdown.read_text("utf-8")
    assert "**DIFFERENT**" in text
    assert text.count("| exp_mp |") == 2
    assert str(tmp_path) not in text + as_json.read_text("utf-8")


def test_an_old_report_is_discarded_and_nothing_else(tmp_path: Path) -> None:
    write_smoke(report(case()), tmp_path)
    (tmp_path / "parity.json").touch()
    discard_smoke(tmp_path)
    discard_smoke(tmp_path / "missing")
    assert [path.name for path in tmp_path.iterdir()] == ["parity.json"]


@pytest.mark.parametrize(
    "changes",
    [
        {"whole": 2},
        {"written": 6},
        {"received": 8},
        {"exported": {"jsonl": 6}, "dropped": 1},
        {"exported": {}},
        {"problems": ("spans_unknown: a-0.1",)},
        {"records": 0, "whole": 0},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_lost_span_a_broken_trace_and_a_killed_worker_are_not_ok(changes: Any) -> None:
    lossy = replace(TELEMETRY, **changes)
    assert TELEMETRY.ok
    assert not lossy.ok
    assert lossy.line().endswith("TELEMETRY IS LOST")
    assert not SmokeReport({}, SOURCE, (case(),), lossy).ok


def test_a_trace_is_whole_when_a_receiver_has_the_spans_of_the_memory_profile() -> None:
    """In all four groups; of two traces one lacks a span, and one has all in three groups."""
    alone: list[dict[str, Any]] = [
        {"trace_id": f"t{trace}", "span_id": f"{trace}{span}", "sequence": trace}
        for trace in (1, 2, 3)
        for span in range(4)
    ]
    received = [
        span_of(span["trace_id"], span["span_id"], int(span["span_id"][1]))
        for span in alone
        if span["span_id"] != "23"
    ]
    moved = [s if s.span_id != "33" else span_of("t3", "33", 0) for s in received]
    sums = {"exporter": "jsonl", "created": 12, "exported": 12, "dropped": 0}
    events = [{"event": "spans_accounted", "worker": None, "fields": sums}]
    found = compared(alone, alone, moved, events)
    assert (found.whole, found.created, found.written, found.received) == (1, 12, 12, 11)
    assert not found.ok


def span_of(trace: str, span: str, group: int) -> ReceivedSpan:
    attributes = {"process_group": f"g{group}"}
    return ReceivedSpan({}, trace, span, None, "n", 1, 0, 1, attributes, (), None, (), False)


@pytest.mark.contract("P5PRE-SMOKE-01", "P5PRE-SMOKE-02", "P5PRE-SMOKE-03", "P5PRE-OBS-01")
def test_the_session_runs_both_rule_sets_and_ends_with_0(tmp_path: Path) -> None:
    """And a real receiver has every span of 1 000 records, each in one trace through all groups."""
    done = run_smoke(tmp_path, "--records", "200")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the same bytes in both profiles" in done.stdout
    document = json.loads((tmp_path / "smoke.json").read_bytes())
    assert [(one["rules"], one["ok"]) for one in document["cases"]] == [
        ("baseline", True),
        ("exp_mp", True),
    ]
    telemetry = document["telemetry"]
    created = telemetry["created"]
    assert (telemetry["whole"], telemetry["dropped"]) == (1000, 0)
    assert telemetry["exported"] == {"jsonl": created, "otel_otlp": created}
    assert telemetry["received"] == telemetry["written"] == created > 10_000


def test_a_run_that_fails_ends_with_2_and_leaves_no_old_report(tmp_path: Path) -> None:
    """There is not the time for even one run."""
    write_smoke(report(case()), tmp_path)
    done = run_smoke(tmp_path, "--records", "1000000", "--timeout", "1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("records", ["0", "-1", "many"])
def test_a_number_of_records_that_is_none_is_refused(tmp_path: Path, records: str) -> None:
    done = run_smoke(tmp_path, f"--records={records}")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def run_smoke(reports: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--reports", str(reports), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)
