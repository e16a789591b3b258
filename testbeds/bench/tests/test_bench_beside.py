"""Measurements beside whole jobs: spans to a receiver, memory at many records, requests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench_beside import lost, requests, sending
from bench_figures import Figure
from bench_large import lacking
from bench_markdown import to_markdown
from bench_measured_beside import Asking, Before, measure_before
from bench_memory import Peak
from bench_otlp import Sent
from bench_probe import ProbeFailedError, told_by
from bench_report import Report, to_json
from bench_requests import Asked
from bench_results import Results
from bench_session import Plan
from bench_systems import chosen
from bench_targets import memory_growth

ENVIRONMENT = {"python": "P", "system": "S", "cores": 2, "load_before": 0.5, "versions": {}}
ADDED = {"grpc": [0.5, 0.75, 0.6], "http": [0.9, 0.9, 0.9]}
SENT = Sent(1_000, 11_010, ADDED, {"grpc": 0, "http": 3})
MANY = 10_000_000


def peak(ingress: float, policy: float) -> Peak:
    return Peak(1.0, None, 1.0, {"supervisor": 70.0, "e.ingress-0": ingress, "e.policy-0": policy})


def test_what_a_receiver_adds_is_the_median_of_the_rounds_by_protocol() -> None:
    found = Results((10, 110), sent=SENT)
    figure, on = sending("grpc")(found)
    assert figure is not None
    assert (figure.value, figure.rounds) == (0.6, 3)
    assert on == "whole process, 1,000 records, 11,010 spans"


def test_spans_lost_are_those_of_all_protocols_and_rounds() -> None:
    figure, on = lost(Results((10, 110), sent=SENT))
    assert figure is not None
    assert figure.value == 3
    assert on == "grpc and http, rounds: 3, spans of a run: 11,010"


def test_without_a_receiver_the_rows_say_so() -> None:
    for question in (sending("grpc"), lost):
        assert question(Results((10, 110)))[0] is None


def test_a_run_for_memory_alone_is_what_growth_is_told_by() -> None:
    """Beyond the sizes of the session; its processes are in the report."""
    found = Results((100_000, 1_000_000))
    found.peaks["four", 100_000] = peak(50.0, 60.0)
    found.peaks["four", 1_000_000] = peak(60.0, 90.0)
    found.peaks["four", MANY] = peak(54.0, 650.0)
    figure, on = memory_growth(found)
    assert figure is not None
    assert figure.value == pytest.approx(1.08)
    assert on == "10,000,000 against 100,000 records, the worst of 2"
    report = Report(ENVIRONMENT, {}, [], found, [])
    assert "| e.policy-0 | 60 | 90 | 650 |" in to_markdown(report, plot=None)
    assert set(json.loads(to_json(report))["memory_alone"]) == {"10000000"}


def test_where_there_is_no_room_the_row_is_of_what_ran_and_has_the_reason() -> None:
    found = Results((100_000, 1_000_000), no_large="no run of 10,000,000: it wants memory")
    found.peaks["four", 100_000] = found.peaks["four", 1_000_000] = peak(50.0, 60.0)
    figure, on = memory_growth(found)
    assert figure is not None
    assert on.startswith("1,000,000 against 100,000 records, the worst of 2; no run of 10,000,000")


def test_room_is_looked_for_in_memory_and_on_disk() -> None:
    gib = 2**30
    assert lacking(MANY, 5 * gib, 3 * gib) == ""
    assert lacking(MANY, gib, 3 * gib) == "it wants 4.7 GiB of memory, 1.0 are free"
    assert lacking(MANY, 5 * gib, gib) == "it wants 2.3 GiB of disk, 1.0 are free"


@pytest.mark.parametrize(
    ("systems", "records", "sizes"),
    [
        (["four"], 0, (100_000,)),
        (["four"], 100_000, (100_000,)),
        (["four"], MANY, (1_000, 2_000)),
        (["queue"], MANY, (100_000,)),
        ([], MANY, (100_000,)),
    ],
)
def test_memory_alone_is_not_looked_at_where_it_says_nothing_more(
    systems: list[str], records: int, sizes: tuple[int, ...]
) -> None:
    """Left out, no more than the session has, nothing to compare it with, or not asked for."""
    said: list[str] = []
    plan = Plan(chosen(systems), sizes, 1, 1, 1.0)
    assert measure_before(Asking(1, 1, 0, 0, records), plan, said.append) == Before()
    assert said == []


def test_what_came_before_the_rounds_is_among_what_they_found() -> None:
    found = Results((100_000,))
    Before(sent=SENT, peaks=((MANY, peak(54.0, 650.0)),), no_large="").put_into(found)
    assert found.sent == SENT
    assert found.peaks == {("four", MANY): peak(54.0, 650.0)}


def test_a_probe_that_fails_says_why(tmp_path: Path) -> None:
    program = tmp_path / "probe.py"
    program.write_text("raise SystemExit('not today')")
    with pytest.raises(ProbeFailedError, match="OTLP: not today"):
        told_by(program, what="OTLP", timeout_seconds=300)


def test_requests_are_judged_by_the_median_of_their_rounds_and_its_noise() -> None:
    asked = [Asked(50, 8, 4, milliseconds, 5.0, 9_000.0) for milliseconds in (1.2, 1.4, 2.6)]
    found, on = requests("median_ms")(Results((10, 100), asked=asked))
    assert found == Figure(1.4, 1.2, 2.6, 3)
    assert on == "50 requests through 4 processes, rounds: 3"


def test_one_round_of_requests_has_no_noise_and_none_no_figure() -> None:
    one = Asked(50, 8, 4, 1.2, 5.0, 9_000.0)
    assert requests("p99_ms")(Results((10, 100), asked=[one]))[0] == Figure(5.0, None, None, 1)
    assert requests("p99_ms")(Results((10, 100))) == (None, "no requests were made")
