"""Four processes with more, or less: the order of runs, what follows from them, and a scrape."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from bench_accounts import Account
from bench_beside import cost, cost_by_account, share, signing_by_account
from bench_markdown import to_markdown
from bench_report import Report, to_json
from bench_results import Results
from bench_scraper import Scraper, free_port
from bench_systems import PEERS
from bench_target_table import TARGETS, WATCHING
from bench_targets import Verdict, evaluate
from bench_variant_results import (
    VariantRun,
    Variants,
    Wrote,
    compared,
    percent_less,
    percent_more,
)
from bench_variants import PLAIN, VARIANTS, Place, round_of

ENVIRONMENT = {"python": "P", "system": "S", "cores": 2, "load_before": 0.5, "versions": {}}
PLACE = Place(Path("folder/left"), 4711)
ORDER = [None, *round_of(0), *round_of(1), *round_of(2)]
SECONDS = {"tracing": 4.4, "logs": 4.0, "metrics": 3.9, "unsigned": 3.8}


def measured() -> Variants:
    """Three rounds: four processes take 4 s inside and 8 s of CPU, and 1 s of it to start."""
    found = Variants(10_000, others=[0.1, 0.2, 0.3])
    runs = []
    for variant in ORDER:
        seconds = SECONDS[variant.name] if variant else 4.0
        runs.append(VariantRun(seconds, 2 * seconds, 1 + seconds))
    for name, between in compared(ORDER, runs):
        found.runs.setdefault(name, []).append(between)
    found.starts = {name: [0.5, 1.0, 9.0] for name in (PLAIN, *SECONDS)}
    found.wrote = {name: {("output", "rejects")} for name in (PLAIN, *SECONDS)}
    found.accounts = {
        PLAIN: [Account(14.0, 35.0), Account(21.0, 35.0), Account(28.0, 42.0)],
        "logs": [Account(14.0, 37.1), Account(14.0, 42.0), Account(14.0, 44.8)],
    }
    return found


def report(variants: Variants | None) -> Report:
    results = Results((10, 10_000), variants=variants)
    return Report(ENVIRONMENT, {}, [], results, evaluate(results, TARGETS))


def test_every_variant_runs_once_a_round_close_to_four_processes_before_and_after() -> None:
    for number in range(2 * len(VARIANTS)):
        names = [variant and variant.name for variant in (None, *round_of(number))]
        assert names[0] is names[3] is names[6] is None
        assert sorted(name for name in names if name) == sorted(SECONDS)


def test_each_variant_has_every_place_of_a_round() -> None:
    places: dict[str, set[int]] = {variant.name: set() for variant in VARIANTS}
    for number in range(len(VARIANTS)):
        for place, variant in enumerate(round_of(number)):
            if variant:
                places[variant.name].add(place)
    assert set(map(frozenset, places.values())) == {frozenset({0, 1, 3, 4})}


def test_a_run_is_compared_with_the_nearest_of_four_processes_on_both_sides() -> None:
    runs = [VariantRun(float(number), 0.0, 0.0) for number in range(len(ORDER))]
    sides = [tuple(run.inside_seconds for run in between) for _, between in compared(ORDER, runs)]
    assert sides[:4] == [(0, 1, 3), (0, 2, 3), (3, 4, 6), (3, 5, 6)]
    assert len(sides) == 3 * len(VARIANTS)


def test_a_machine_that_grows_slower_evenly_is_in_no_cost() -> None:
    """What a variant takes is held against the mean of before and after."""
    order = [None, VARIANTS[0], None]
    runs = [VariantRun(seconds, seconds, seconds) for seconds in (1.0, 2.0, 3.0)]
    found = Variants(10, {name: [between] for name, between in compared(order, runs)})
    assert found.by_plain("tracing") == [1.0]


def test_a_cost_is_what_is_more_in_the_steady_state_and_a_share_what_is_less() -> None:
    found = measured()
    more, less = (percent_more(found.by_plain("tracing")), percent_less(found.by_plain("unsigned")))
    assert more is not None
    assert less is not None
    assert more.rounds == 3
    assert more.value == pytest.approx(10.0)
    assert less.value == pytest.approx(5.0)


def test_processor_time_is_without_that_of_start_and_end() -> None:
    """Their median: 8.8 less 1 by 8 less 1."""
    assert measured().processor_by_plain("tracing") == [pytest.approx(7.8 / 7)] * 3
    assert Variants(10, measured().runs).processor_by_plain("tracing") == []


def test_what_costs_more_than_its_target_is_missed_and_what_costs_less_is_met() -> None:
    rows = {row.target.what: row for row in report(measured()).rows if row.target.id == "P8"}
    verdicts = [rows[f"{what}, cost on P2"].verdict for what, _, _ in WATCHING]
    assert verdicts == [Verdict.MISSED, Verdict.MET, Verdict.MET]
    _, on = cost("tracing")(report(measured()).results)
    assert on == "10,000 records, inside (processor time: 11.43 %)"


def test_by_account_a_part_is_held_against_the_processor_time_of_runs_not_profiled() -> None:
    """That is 8 s less 1 s of start, so 700 microseconds for each of the 10 000 records."""
    found = measured()
    assert found.signing_percent() == pytest.approx([2.0, 3.0, 4.0])
    assert found.watching_percent("logs") == pytest.approx([0.3, 1.0, 0.4])
    assert found.watching_percent("metrics") == []
    figure, on = signing_by_account(report(found).results)
    assert figure is not None
    assert figure.value == pytest.approx(3.0)
    assert on == "10,000 records, processor time as the runs tell it"


def test_where_no_thread_s_time_is_told_there_is_no_cost_by_account_and_the_row_says_why() -> None:
    found = measured()
    found.accounts = {name: [Account(1.0, None)] * 3 for name in (PLAIN, "logs")}
    told = cost_by_account("logs")(report(found).results)
    assert told == (None, "this system does not tell the time of a thread")


def test_without_four_processes_the_rows_say_so() -> None:
    for question in (
        cost("tracing"),
        share("unsigned"),
        cost_by_account("logs"),
        signing_by_account,
    ):
        figure, why = question(Results((10, 110)))
        assert figure is None
        assert why.startswith("not run: four processes were not asked for")


def test_a_variant_that_writes_other_bytes_fails_the_session_and_is_named() -> None:
    assert report(measured()).ok
    others: list[set[Wrote]] = [
        {("output", None)},
        {("output", "rejects"), ("other", "rejects")},
    ]
    for other in others:
        found = measured()
        found.wrote["metrics"] = other
        assert report(found).differing == ["variant metrics (10,000)"]


def test_the_report_has_every_run_and_a_row_for_each_variant_in_a_table_that_holds() -> None:
    document = json.loads(to_json(report(measured())))
    tracing = document["variants"]["by_name"]["tracing"]
    assert tracing["steady_percent_more"]["value"] == pytest.approx(10.0)
    assert [run["variant"]["inside_seconds"] for run in tracing["runs"]] == [4.4] * 3
    text = to_markdown(report(measured()), plot=None)
    rows = [line for line in text.splitlines() if any(v.title in line for v in VARIANTS)]
    by_account = rows[len(VARIANTS) :]
    assert {row.count("|") for row in rows[: len(VARIANTS)]} == {11}
    assert by_account == [
        "| tracing at 1 %, to a file | not told here |  |  |  |",
        "| lifecycle logs, to a file | 0.40 % | 0.30 to 1.00 | 0.30 to 1.00 | 3 |",
        "| metrics, scraped once a second | not told here |  |  |  |",
    ]
    assert "| signing and verification | 3.00 % | 2.00 to 4.00 | 2.00 to 4.00 | 3 |" in text
    assert "| tracing at 1 %, to a file | +10.00 % | 10.00 to 10.00 |" in rows[0]
    assert "10,000 records; others used 0.20 cores, in the median of 3 rounds." in text


def test_a_variants_settings_are_words_that_the_command_line_takes() -> None:
    by_name = {variant.name: variant.overrides(PLACE) for variant in VARIANTS}
    assert by_name["tracing"] == [
        'runtime.observability.tracing={"sampling_ratio": 0.01, "exporters":'
        ' [{"kind": "jsonl", "settings": {"path": "folder/left"}}]}'
    ]
    assert "runtime.observability.metrics.prometheus=true" in by_name["metrics"]
    assert by_name["unsigned"] == []


def test_the_variant_without_an_hmac_has_none() -> None:
    """In its processes whoever signs gives zeros."""
    unsigned = next(variant for variant in VARIANTS if variant.name == "unsigned")
    program = (
        "from sk_transport import Channel, Secret, Signer\n"
        "signer = Signer(Channel('r', 'a', 'b'), Secret.generate())\n"
        "print(type(signer._keyed).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(unsigned.variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.strip() == "NoMac", done.stderr


class Pages(HTTPServer):
    """Refuses the first who asks, and then gives a page of metrics."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked, self.given = 0, threading.Event()


class Page(BaseHTTPRequestHandler):
    """One request."""

    server: Pages

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(503 if self.server.asked == 1 else 200)
        self.end_headers()
        self.wfile.write(b"sk_records_in_total 1\n")
        if self.server.asked > 1:
            self.server.given.set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_scraper_asks_until_there_is_a_page_and_counts_it(pages: Pages) -> None:
    with Scraper(pages.server_port) as scraper:
        assert pages.given.wait(60)
    assert scraper.pages >= 1


def test_a_scraper_of_nobody_has_no_page_and_ends() -> None:
    with Scraper(free_port()) as scraper:
        pass
    assert scraper.pages == 0


@pytest.mark.soak
def test_a_session_runs_every_variant_and_sends_spans(tmp_path: Path) -> None:
    """Whether each did what it is to do, the session looks itself."""
    options = ["--systems", "four", "--records", "600", "--rounds", "1", "--requests", "20"]
    options += ["--variant-rounds", "1", "--otlp-rounds", "1", "--reports", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(PEERS.with_name("run_bench.py")), *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "bench.json").read_bytes())
    assert set(document["variants"]["by_name"]) == set(SECONDS)
    rows = [row for row in document["targets"] if row["id"] in {"P8", "P9", "P10"}]
    figures = {row["what"]: row["figure"] for row in rows}
    assert len(figures) == 10
    assert None not in figures.values()
    assert figures["100 % sampling to OTLP, spans lost"]["value"] == 0
