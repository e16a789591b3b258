"""The end of a run whose receivers hang: one deadline for all of them, and signals meanwhile."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sk_config import build_config
from sk_kernel import RunStatus
from sk_observability import EventName, MetricPump, MetricsSnapshot
from sk_observability.testing import HANG, OtlpReceiver
from sk_supervisor import prepare
from sk_supervisor._run.execute import _close_rails
from sk_supervisor._system.signals import signals_to
from sk_supervisor._telemetry.rails import ENDING_SECONDS, Rails, TelemetrySummary, lay_rails
from supervisor_harness import GROUPS, PATIENCE, Command, Ears, expected, gone, in_time, settings

Sk = Callable[..., Command]
#: What an exporter may take by its own settings, and what a batch waits if nothing ends it.
PATIENT = {"timeout_seconds": 60, "shutdown_timeout_seconds": 60}
HELD = {"batch": {"schedule_delay_seconds": 3600}}
SPANS, EVENTS = ("tracing", "otel_otlp"), ("logging", "otel_logs_otlp")
SOAK = pytest.mark.soak


def told_to(receiver: OtlpReceiver, *signals: tuple[str, str], **more: Any) -> dict[str, Any]:
    """The observability that sends these signals to the receiver."""
    sent = {**receiver.settings, **PATIENT, **more}
    return {block: {"exporters": [{"kind": kind, "settings": sent}]} for block, kind in signals}


def rails_of(target: Path, observability: dict[str, Any]) -> Rails:
    """The rails of a run in memory, with all that it tells on them, and no run."""
    config = settings(target, mode="inline", groups=(), observability=observability)
    rails = lay_rails(prepare(build_config(config)), "r1")
    status = RunStatus(
        run_id="r1", scenario="s", profile="memory", state="running", ready=True, age_seconds=1.0
    )
    if rails.metrics:
        rails.pump = MetricPump(rails.metrics, lambda: MetricsSnapshot(1, status), 3600)
        rails.pump.start()
    rails.log.emit("told")
    with rails.system.step(EventName.SUPERVISOR_START_GROUPS):
        pass
    return rails


@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-OTLP-03")
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_receivers_that_hang_on_every_signal_have_one_deadline_together(
    target: Path, protocol: Any
) -> None:
    """One after the other, and by their own settings, they would take two minutes."""
    with OtlpReceiver(protocol, answer=HANG) as receiver:
        metrics = {"metrics": {"exporters": [{"kind": "otel_otlp", "settings": receiver.settings}]}}
        rails = rails_of(target, {**told_to(receiver, SPANS, EVENTS), **metrics})
        with in_time():
            told = rails.close((), 1.5)
    assert (
        "  spans: 1 created, 0 exported by otel_otlp, 1 dropped (shutdown_timeout 1)" in told.lines
    )
    assert told.errors == ()
    [lost] = rails.log.counts().exporters
    assert (lost.exported, lost.dropped) == (0, {"shutdown_timeout": lost.created})


@pytest.mark.contract("P5PRE-OBS-03")
def test_events_have_time_left_however_long_the_spans_have_hung(target: Path) -> None:
    """The last of them say what has become of the spans."""
    with OtlpReceiver(answer=HANG) as hanging, OtlpReceiver("http") as taking:
        rails = rails_of(target, {**told_to(hanging, SPANS), **told_to(taking, EVENTS)})
        assert taking.wait_until(lambda one: bool(one.logs))  # so it is connected
        rails.close((), 6.0)  # a third of it is for the events
        assert taking.logs[-1].event_name == "spans_accounted"
    [counts] = rails.log.counts().exporters
    assert counts.exported == counts.created == 2


def test_an_end_that_was_cut_short_is_taken_up_again_and_waits_for_nobody(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sk_supervisor._telemetry.rails.ENDING_SECONDS", 60.0)
    with OtlpReceiver(answer=HANG) as receiver:
        rails = rails_of(target, told_to(receiver, SPANS, EVENTS))
        rails.finish(60.0)
        with in_time(PATIENCE / 2):  # a minute is what they have otherwise
            told = rails.close((), 0.0)
            again = rails.close((), 0.0)
    assert told == again
    assert [e.name for e in rails.log.events()] == ["told", "spans_accounted"]


def test_behind_the_second_signal_a_third_one_meets_what_it_meets_in_any_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else an exporter that hangs without a deadline could be ended by SIGKILL alone."""
    monkeypatch.setattr("sk_supervisor._system.signals.ECHO_SECONDS", 0.0)
    before, met = signal.getsignal(signal.SIGTERM), []

    class Hanging:
        def close(self, _: object, seconds: float) -> TelemetrySummary:
            met.append((seconds, signal.getsignal(signal.SIGTERM) is before))
            if seconds:
                signal.raise_signal(signal.SIGTERM)
                signal.raise_signal(signal.SIGINT)
            return TelemetrySummary((), ())

    with ExitStack() as handlers:
        came = handlers.enter_context(signals_to(lambda *_: None, force=False))
        _close_rails(cast("Rails", Hanging()), None, came, stop_handling=handlers.close)
    assert met == [(ENDING_SECONDS, False), (0.0, True)]


@pytest.mark.contract("P5PRE-OBS-03", "STOP-IPC-02")
@pytest.mark.parametrize(
    ("mode", "block", "code", "said"),
    [
        ("inline", EVENTS, 0, "dropped"),
        ("inline", SPANS, 5, "the work is done, but the cleanup after it was cut short"),
        pytest.param("process_supervisor", EVENTS, 0, "dropped", marks=SOAK),
        pytest.param("process_supervisor", SPANS, 5, "ended by force (kill)", marks=SOAK),
    ],
)
def test_two_signals_behind_the_commit_cut_the_exporters_short_and_leave_nothing(
    target: Path, tmp_path: Path, sk: Sk, mode: str, block: tuple[str, str], code: int, said: str
) -> None:
    """Where the supervisor alone is still at it, it is known what the run has come to: 0."""
    groups = GROUPS if mode == "process_supervisor" else ()
    with OtlpReceiver(answer=HANG) as receiver:
        observability = told_to(receiver, block, **HELD)
        platform = {"admin": {"run_dir": "run"}}
        configuration = settings(
            target, mode=mode, groups=groups, observability=observability, platform=platform
        )
        command = sk("run", configuration, "--run-id", "r1", cwd=tmp_path)
        assert receiver.wait_until(lambda one: bool(one.headers))  # nothing goes before the end
        pids = [p.pid for p in command.workers()]
        command.signal(signal.SIGTERM)
        command.insist(signal.SIGINT)
        ended, _, err = command.finish()
    assert (ended, said in err) == (code, True), err
    assert "completed: supervised" in err
    assert "Traceback" not in err
    assert target.read_text().splitlines() == expected(20)
    assert not target.with_suffix(".partial").exists()
    assert list((tmp_path / "run").iterdir()) == []
    assert gone(pids, within=0)


@pytest.mark.soak
@pytest.mark.contract("P5PRE-OBS-03", "P5PRE-LIFE-04")
@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_stop_keeps_to_the_rule_for_the_grace_period_whatever_hangs(
    target: Path, ears: Ears, sk: Sk, protocol: Any
) -> None:
    """As docs/kubernetes.md has it: the largest stop_timeout_seconds, and five more."""
    stop = 4
    with OtlpReceiver(protocol, answer=HANG) as receiver:
        sent = {"kind": "otel_otlp", "settings": {**receiver.settings, **PATIENT}}
        metrics = {"metrics": {"interval_seconds": 1, "exporters": [sent]}}
        configuration = settings(
            target,
            source={"count": 20, "then": "wait", "ears": ears.port},
            every_group={"stop_timeout_seconds": stop},
            observability={**told_to(receiver, SPANS, EVENTS), **metrics},
        )
        command = sk("run", configuration, "--run-id", "r1")
        ears.hear("open")
        ears.hear("waiting")
        began = time.monotonic()
        command.signal(signal.SIGTERM)
        code, _, err = command.finish()
        assert time.monotonic() - began < stop + 5
    assert code == 143, err
    partial = target.with_suffix(".partial")
    assert partial.read_text().splitlines() == [*expected(20), "aborted"]


@pytest.mark.soak
@pytest.mark.contract("P5PRE-OBS-03")
@pytest.mark.parametrize("mode", ["inline", "process_supervisor"])
def test_a_run_that_is_done_is_over_five_seconds_after_its_last_worker_whatever_hangs(
    target: Path, tmp_path: Path, sk: Sk, mode: str
) -> None:
    beside = tmp_path / "events.jsonl"
    with OtlpReceiver(answer=HANG) as receiver:
        sent = {"kind": "otel_otlp", "settings": receiver.settings}
        observability = {
            **told_to(receiver, SPANS, EVENTS),
            "metrics": {"interval_seconds": 1, "exporters": [sent]},
        }
        jsonl = {"kind": "jsonl", "settings": {"path": str(beside)}}
        observability["logging"]["exporters"].append(jsonl)
        groups = GROUPS if mode == "process_supervisor" else ()
        configuration = settings(target, mode=mode, groups=groups, observability=observability)
        code, _, err = sk("run", configuration, "--run-id", "r1").finish()
        ended = time.time()
    assert code == 0, err
    assert target.read_text().splitlines() == expected(20)
    events = [json.loads(line) for line in beside.read_text().splitlines()]
    last = max(event["time"] for event in events if event["event"] == "worker_stopped")
    assert ended - datetime.fromisoformat(last).timestamp() < 5
