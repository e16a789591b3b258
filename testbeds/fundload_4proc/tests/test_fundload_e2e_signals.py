"""SIGTERM and SIGINT: sources stop, what is in flight drains, and the old files stay."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import sys
from signal import Signals
from typing import Any

import pytest
from e2e_bench import Bench, each_profile, patient, reference, run_options
from e2e_run import PATIENCE_SECONDS, Ended, LiveRun, alive_after
from reference_bench import load

OLD = b"old\n"
STOP_BUDGET_SECONDS = 4

each_way = pytest.mark.parametrize(
    ("profile", "number"),
    [
        ("memory", signal.SIGTERM),
        ("memory", signal.SIGINT),
        ("multiprocess", signal.SIGTERM),
    ],
)


@pytest.mark.contract("P5PRE-LIFE-04", "PROC-INT-03")
@each_way
def test_what_was_answered_when_the_signal_came_is_all_there_is(
    bench: Bench, profile: str, number: Signals
) -> None:
    """The output was a stream and is complete so far; the rejects were a file and stay the old."""
    bench.write("rejects", OLD)
    data = load() + b"\nno json\n" + load(id=2) + b"\n"
    files = {"input": "-", "output": "-", "rejects": "rejects"}
    run = bench.start(*run_options("exp_mp", profile, **files))
    run.feed(data)
    run.lines(3)
    run.signal(number)
    ended = bench.outwait(run)
    expected = reference(data)
    assert (ended.code, ended.output) == (128 + number, expected.output)
    assert bench.read("rejects") == OLD
    (partial,) = ended.partials
    assert partial.read_bytes() == expected.rejects


@pytest.mark.contract("P5PRE-LIFE-04", "PROC-INT-03")
@pytest.mark.parametrize("whom", ["memory", "multiprocess", "every process"])
def test_in_full_flow_every_line_that_was_read_is_answered(
    bench: Bench, dirty: bytes, whom: str
) -> None:
    """The partial output is a prefix of the complete one, as long as the run says that it read.

    As a service manager does it, the signal may come to the workers too: it changes nothing.
    """
    bench.write("out", OLD)
    profile = "memory" if whom == "memory" else "multiprocess"
    run = bench.start(*run_options("exp_mp", profile, input="-", output="out", rejects="-"))
    run.flood(dirty)
    run.lines(300)
    workers = run.workers()
    for worker in workers.values() if whom == "every process" else ():
        worker.terminate()
    run.signal(signal.SIGTERM)
    ended = bench.outwait(run)
    assert alive_after(0, workers.values()) == []
    assert ended.code == 128 + signal.SIGTERM, ended.said
    assert bench.read("out") == OLD
    (partial,) = ended.partials
    answered = partial.read_bytes().count(b"\n")
    assert counts(ended) == (answered, answered)
    expected = reference(dirty * (1 + answered // 2_000), decisions=answered)
    assert (partial.read_bytes(), ended.output) == expected


def counts(ended: Ended) -> tuple[int, int]:
    """Records in and out, by the run's own summary."""
    found = re.search(r"records in ([\d,]+), out ([\d,]+)", ended.said)
    assert found, ended.said
    taken, given = (int(text.replace(",", "")) for text in found.groups())
    return taken, given


def stuck(bench: Bench, dirty: bytes, *options: str) -> LiveRun:
    """Start a run, and wait until its sink hangs: in a write that nobody reads to its end.

    The 1 000 answers of the first batch are more than this pipe holds.
    """
    bench.write("in", dirty)
    os.mkfifo(bench.folder / "target")
    bench.keep(reader := os.open(bench.folder / "target", os.O_RDWR | os.O_NONBLOCK))
    if sys.platform == "linux":  # which gives a pipe 64 KiB by default
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    run = bench.start("run", *options, "--input", "in", "--output", "target")
    ready, _, _ = select.select([reader], [], [], PATIENCE_SECONDS)
    assert ready
    return run


@pytest.mark.contract("P5PRE-LIFE-04")
@each_profile
def test_a_second_signal_ends_by_force(bench: Bench, dirty: bytes, profile: str) -> None:
    run = stuck(bench, dirty, "--config", bench.derived_config(f"exp_mp_{profile}", patient))
    workers = run.workers()
    run.signal(signal.SIGTERM)
    run.insist(signal.SIGINT)
    ended = bench.outwait(run)
    assert alive_after(0, workers.values()) == []
    assert (ended.code, ended.output) == (5, b"")
    assert "at once, by force" in ended.said


def short_of_time(document: dict[str, Any]) -> None:
    for group in document["runtime"]["platform"]["process_groups"]:
        group["stop_timeout_seconds"] = STOP_BUDGET_SECONDS


@pytest.mark.contract("P5PRE-LIFE-04")
def test_what_cannot_drain_is_ended_when_the_budget_is_over(bench: Bench, dirty: bytes) -> None:
    """One signal, one budget for all workers together: exit 5, and nobody is left."""
    config = bench.derived_config("exp_mp_multiprocess", short_of_time)
    run = stuck(bench, dirty, "--config", config)
    workers = run.workers()
    run.signal(signal.SIGTERM)
    ended = bench.outwait(run)
    assert alive_after(0, workers.values()) == []
    assert ended.code == 5, ended.said
    assert f"{STOP_BUDGET_SECONDS} s" in ended.said
    assert "execution.egress-0.1" in ended.said


#: A module that no worker gets behind, so that the start lasts until it is ended.
ENDLESS_IMPORT = b"""\
import sys
import threading

if "sk_supervisor._worker.main" in sys.modules:
    threading.Event().wait()
"""


def starting_for_ever(document: dict[str, Any]) -> None:
    runtime = document["runtime"]
    runtime["discovery_modules"].append("endless_import")
    runtime["observability"] = {"logging": {"exporters": [{"kind": "stdout"}]}}
    for group in runtime["platform"]["process_groups"]:
        group["start_timeout_seconds"] = 600


@pytest.mark.contract("P5PRE-LIFE-04")
def test_a_signal_while_workers_start_ends_the_run_before_it_reads(
    bench: Bench, dirty: bytes
) -> None:
    bench.write("in", dirty)
    bench.write("out", OLD)
    bench.write("endless_import.py", ENDLESS_IMPORT)
    config = bench.derived_config("exp_mp_multiprocess", starting_for_ever)
    run = bench.start("run", "--config", config, "--input", "in", "--output", "out")
    while b"worker_spawned" not in run.lines(1)[0]:
        pass
    run.signal(signal.SIGTERM)
    ended = bench.outwait(run)
    assert ended.code == 128 + signal.SIGTERM, ended.said
    assert "worker_ready" not in ended.output.decode()
    assert "worker_running" not in ended.output.decode()
    assert bench.read("out") == OLD
