"""A run accounts for all that it told: spans, events, and what its workers wrote."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from sk_config import build_config
from sk_kernel.runtime import TraceIds
from sk_observability.testing import OtlpReceiver
from sk_supervisor import run
from supervisor_harness import GROUPS, expected, settings, supervised

MOST_DEBUG_EVENTS = 200 + 100 * 60
"""What the rate of level debug lets through at once, and in a minute."""


class Ran:
    """What a run said, exported and logged."""

    def __init__(self, target: Path, folder: Path, mode: str, **changes: Any) -> None:
        self._spans, self._events = folder / "spans.jsonl", folder / "events.jsonl"
        stderr = io.StringIO()
        observability = {
            "tracing": {
                "exporters": [jsonl(self._spans), jsonl("/dev/full"), nobody_reads(folder)]
            },
            "logging": {
                "exporters": [jsonl(self._events)],
                "lifecycle_events": {"level": "debug", "worker_output": True},
            },
        }
        groups = GROUPS if mode == "process_supervisor" else ()
        config = settings(target, mode=mode, groups=groups, observability=observability, **changes)
        self.code = run(build_config(config), run_id="r1", stderr=stderr)
        self.said = stderr.getvalue().splitlines()

    def spans(self) -> int:
        """How many were written."""
        return len(self._spans.read_text().splitlines())

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Those of a name, or all."""
        told = [json.loads(line) for line in self._events.read_text().splitlines()]
        return [event for event in told if name in ("", event["event"])]

    def sums(self) -> list[dict[str, Any]]:
        """What the run says of its exporters of spans."""
        return [event["fields"] for event in self.events("spans_accounted")]

    def summary(self) -> list[str]:
        """The lines of the summary about spans."""
        return [line for line in self.said if line.startswith("  spans")]


def jsonl(path: Path | str) -> dict[str, Any]:
    return {"kind": "jsonl", "settings": {"path": str(path)}}


def nobody_reads(folder: Path) -> dict[str, Any]:
    """An exporter to a named pipe that nobody opens."""
    path = folder / "pipe"
    os.mkfifo(path)
    return {"kind": "jsonl", "settings": {"path": str(path), "stall_timeout_seconds": 0.2}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, list[str]]:
    """A run that is done, over three groups, one node of which speaks; and its output."""
    folder = tmp_path_factory.mktemp("whole")
    target = folder / "out.txt"
    ran = Ran(target, folder, "process_supervisor", work={"at": 5, "do": "speak"})
    return ran, target.read_text().splitlines()


@pytest.mark.contract("P5PRE-OBS-03")
def test_every_span_of_every_process_is_exported_or_dropped_by_reason(
    whole: tuple[Ran, list[str]],
) -> None:
    """One exporter loses all it is given, one hangs, and neither the run nor the first minds."""
    ran, output = whole
    assert (ran.code, output) == (0, expected(20))
    kept, lost, stalled = ran.sums()
    created = ran.spans()
    assert created > 20
    assert kept["created"] == lost["created"] == kept["exported"] == lost["dropped"] == created
    assert (kept["dropped"], lost["exported"], lost["reasons"]) == (0, 0, f"ENOSPC {created}")
    assert (stalled["exported"], stalled["reasons"]) == (0, f"stalled {created}")
    assert {one["processes"] for one in (kept, lost, stalled)} == {len(GROUPS) + 1}
    assert ran.summary() == [
        f"  spans: {created} created, {created} exported by jsonl 1",
        f"  spans: {created} created, 0 exported by jsonl 2, {created} dropped (ENOSPC {created})",
        f"  spans: {created} created, 0 exported by jsonl 3, {created} dropped (stalled {created})",
    ]
    assert ran.events("spans_unaccounted") == ran.events("spans_unknown") == []


def test_what_a_worker_writes_is_shown_line_by_line_with_worker_and_stream(
    whole: tuple[Ran, list[str]],
) -> None:
    ran, _ = whole
    said = [line for line in ran.said if line.startswith("[mid-0.1 stdout] ")]
    assert said == [f"[mid-0.1 stdout] said {number}" for number in range(1, len(said) + 1)]
    assert "[mid-0.1 stderr] said aside" in ran.said
    hidden = [line for line in ran.said if line.endswith("lines of the workers are not shown)")]
    assert len(said) == 1000 or hidden


@pytest.mark.contract("P5PRE-LOG-03")
def test_a_flood_of_lines_is_bounded_and_the_last_event_says_how_many_went_nowhere(
    whole: tuple[Ran, list[str]],
) -> None:
    """They are the application's words, and events only where that was asked for."""
    ran, _ = whole
    told = ran.events("worker_output")
    assert told[0]["worker"] == "mid-0.1"
    assert told[0]["fields"].keys() == {"stream", "line"}
    assert {event["fields"]["stream"] for event in told} == {"stdout", "stderr"}
    assert len(told) < MOST_DEBUG_EVENTS
    last = ran.events()[-1]
    assert last["event"] == "events_flooded"
    assert len(told) + last["fields"]["debug"] >= 1001
    flooded = last["fields"]["debug"]
    assert f"  events: {flooded:,} debug events dropped (rate limit)" in ran.said
    assert {event["correlation_id"] for event in ran.events()} == {"r1"}


def test_the_status_has_the_account_of_every_worker(target: Path, tmp_path: Path) -> None:
    exporters = [jsonl(tmp_path / "spans.jsonl")]
    with supervised(target, observability={"tracing": {"exporters": exporters}}) as made:
        made.ready()
        opened = made.supervisor.snapshot().spans
        made.supervisor.run()
        made.supervisor.shutdown()
        ended = made.supervisor.snapshot().spans
    workers = [f"{group['name']}-0.1" for group in GROUPS]
    assert sorted(account.worker for account in opened) == workers
    assert not any(account.final or account.created for account in opened)
    assert sorted(account.worker for account in ended) == workers
    for account in ended:
        (exporter,) = account.exporters
        assert account.final
        assert account.created == exporter.exported > 0


@pytest.mark.contract("P5PRE-LOG-03")
def test_events_go_to_standard_output_a_file_and_an_otlp_receiver_alike(
    target: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each with the run's id and a trace; those of a failure with that of the record."""
    path = tmp_path / "events.jsonl"
    with OtlpReceiver() as receiver:
        otlp = {"kind": "otel_logs_otlp", "settings": receiver.settings}
        exporters = [{"kind": "stdout"}, jsonl(path), otlp]
        tracing = {"exporters": [jsonl(tmp_path / "spans.jsonl")]}
        observability = {"tracing": tracing, "logging": {"exporters": exporters}}
        work = {"at": 5, "do": "raise"}
        config = settings(target, mode="inline", groups=(), work=work, observability=observability)
        assert run(build_config(config), run_id="r1", quiet=True, stderr=io.StringIO()) == 4
        received = sorted(receiver.logs, key=lambda log: int(str(log.attributes["sequence"])))
    told = [json.loads(line) for line in path.read_text().splitlines()]
    shown = capfd.readouterr().out.splitlines()
    names = [event["event"] for event in told]
    assert "worker_failed" in names
    assert [line.split()[2] for line in shown] == names == [log.event_name for log in received]
    assert all("correlation_id=r1" in line for line in shown)
    assert {log.attributes["correlation_id"] for log in received} == {"r1"}
    assert [log.trace_id for log in received] == [event["trace_id"] for event in told]
    assert told[names.index("worker_failed")]["trace_id"] == TraceIds("r1").of(5)


@pytest.mark.usefixtures("unhurried")
def test_a_worker_that_was_killed_is_named_and_its_remainder_said_to_be_unknown(
    target: Path, tmp_path: Path
) -> None:
    """The others, which the supervisor stops, close their accounts."""
    ran = Ran(target, tmp_path, "process_supervisor", work={"at": 5, "do": "kill"})
    assert ran.code == 4
    (unknown,) = ran.events("spans_unknown")
    assert (unknown["worker"], unknown["group"]) == ("mid-0.1", "mid")
    (named,) = [line for line in ran.summary() if "unknown" in line]
    assert named.startswith("  spans of mid-0.1: it ended before its final report")
    kept, lost, _ = ran.sums()
    assert kept["created"] == kept["exported"] + kept["unknown"]
    assert lost["created"] == lost["dropped"] + lost["unknown"]
    assert kept["exported"] <= ran.spans()
    assert ran.events("spans_unaccounted") == []


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("mode", ["process_supervisor", "inline"])
def test_a_failure_has_the_trace_of_its_record_and_every_other_event_that_of_the_run(
    target: Path, tmp_path: Path, mode: str
) -> None:
    ran = Ran(target, tmp_path, mode, work={"at": 5, "do": "raise"})
    assert ran.code == 4
    ids = TraceIds("r1")
    (failed,) = ran.events("worker_failed")
    assert failed["trace_id"] == ids.of(5)
    others = {event["trace_id"] for event in ran.events() if event["event"] != "worker_failed"}
    assert others == {ids.of(0)}
    kept, lost, stalled = ran.sums()
    assert kept["created"] == kept["exported"] == lost["dropped"] == ran.spans() > 0
    assert stalled["reasons"] == f"stalled {ran.spans()}"
    assert ran.events("spans_unaccounted") == ran.events("spans_unknown") == []
