"""Cost as work grows: the rows, their inputs, and what follows from the runs; never how fast."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from bench_figures import Figure
from growth_chain import NODES
from growth_chain_config import chain_config, divided
from growth_inputs import DAYS, lines
from growth_markdown import SHAPES, to_markdown
from growth_report import GrowthReport, further_day, to_json
from growth_results import GrowthResults, GrowthRun, Spans, bytes_each, further_cost, peak_of
from growth_rows import FEW, STATES, TABLES, Row, rows_of
from sk_config import build_config
from sk_supervisor import run

ENVIRONMENT = {"python": "P", "system": "S", "cores": 2, "load_before": 0.5, "versions": {"a": "1"}}
PEAKS = {"supervisor": 50.0, "execution.features-0": 60.0, "execution.policy-0": 70.0}


def measured(rows: list[Row]) -> GrowthResults:
    """A second to start, and two microseconds of wall and three of the processor a record."""
    results = GrowthResults()
    for row in rows:
        for size in row.sizes:
            more = {name: peak + size / 1_000 for name, peak in PEAKS.items()}
            results.peaks[row.key, size] = more
            cost = GrowthRun(1 + 2e-6 * size, 1 + 3e-6 * size, Spans(size, size - 1))
            if row.timed:
                results.runs[row.key, size] = [cost] * 3
    return results


def report(largest: int = 1_000_000) -> GrowthReport:
    rows = rows_of(list(TABLES), largest)
    return GrowthReport(ENVIRONMENT, 3, rows, measured(rows))


@pytest.mark.parametrize("groups", range(1, NODES + 1))
def test_the_nodes_are_divided_in_order_and_evenly(groups: int) -> None:
    shares = divided(groups)
    everything = [name for share in shares for name in share]
    assert everything == [
        "source:source",
        *(f"step{number}" for number in range(1, NODES + 1)),
        "sink:sink",
    ]
    counts = [sum(name.startswith("step") for name in share) for share in shares]
    assert len(counts) == groups
    assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("groups", [0, NODES + 1])
def test_more_groups_than_nodes_are_refused(groups: int) -> None:
    with pytest.raises(ValueError, match="cannot be divided"):
        divided(groups)


def test_the_chain_passes_on_every_record(tmp_path: Path) -> None:
    target = tmp_path / "sums"
    run(build_config(chain_config(0, 2_500, 100, str(target))))
    assert target.read_text() == "2500 250000\n"


def test_the_chain_is_configured_for_four_processes() -> None:
    config = build_config(chain_config(4, 1, 100, "sums"))
    assert len(config.runtime.platform.process_groups) == 4


def test_an_input_brings_another_one_of_what_it_is_made_of_with_each_line() -> None:
    found = {made_of: list(map(json.loads, lines(made_of, 50))) for made_of in STATES}
    for made_of, customers, days in (("id", 1, 1), ("customer", 50, 1), ("day", 5, DAYS)):
        assert len({line["id"] for line in found[made_of]}) == 50
        pairs = Counter((line["customer_id"], line["time"]) for line in found[made_of])
        assert len({customer for customer, _ in pairs}) == customers
        assert len({day for _, day in pairs}) == days
    times = [line["time"] for line in found["day"]]
    assert times == sorted(times)


@pytest.mark.parametrize("largest", [10_000, 1_000_000, 10_000_000])
def test_no_run_is_larger_than_was_asked_for(largest: int) -> None:
    rows = rows_of(list(TABLES), largest)
    assert max(size for row in rows for size in row.sizes) == largest
    assert all(list(row.sizes) == sorted(set(row.sizes)) for row in rows)
    assert len({row.key for row in rows}) == len(rows)


def test_a_further_record_costs_what_more_of_them_take_longer() -> None:
    found = further_cost([3.0, 5.0, 4.0], [1.0, 1.0, 1.0], 100)
    assert found is not None
    assert (found.value, found.low, found.high) == (0.03, 0.02, 0.04)


def test_a_single_large_run_is_compared_with_the_median_of_the_small_ones() -> None:
    assert further_cost([3.0], [0.5, 1.0, 9.0], 100) == Figure(0.02, None, None, 1)


@pytest.mark.parametrize(("large", "small"), [([1.0], [1.5]), ([], [1.0]), ([1.0], [])])
def test_where_there_is_nothing_but_noise_there_is_no_cost(
    large: list[float], small: list[float]
) -> None:
    assert further_cost(large, small, 100) is None


def test_state_is_told_in_bytes_of_the_process_that_holds_it() -> None:
    few, many = {"features-0": 10.0, "policy-0": 9.0}, {"features-0": 11.0, "policy-0": 99.0}
    assert bytes_each(few, many, "features", 2**10) == 2**10
    assert bytes_each(few, many, "egress", 1) is None
    assert peak_of({"policy-0": 1.0, "policy-1": 2.0}, "policy") == 2.0


def test_a_further_day_is_what_the_days_cost_beyond_the_first_of_each_customer() -> None:
    customers, first, further = 100, 300.0, 100.0
    records = customers * DAYS
    total = customers * (first + (DAYS - 1) * further)
    assert further_day(total / records, first, records) == pytest.approx(further)
    assert further_day(None, first, records) is None


def test_every_table_has_a_row_for_each_of_its_measures_and_holds() -> None:
    document = json.loads(to_json(report().document()))
    tables = document["tables"]
    assert {name: len(entries) for name, entries in tables.items()} == {
        "records": 2 * 3,
        "groups": 9,
        "workers": 4,
        "payload": 2 * 4,
        "tracing": 2 * 3,
        "state": 3,
    }
    costs = [entry for name, table in tables.items() if name != "state" for entry in table]
    assert {round(entry["wall_us"]["value"], 6) for entry in costs} == {2.0}
    assert {round(entry["cpu_us"]["value"], 6) for entry in costs} == {3.0}
    text = to_markdown(document)
    for shape in SHAPES.values():
        _, _, block = text.partition(f"## {shape.title}\n\n{shape.about}\n\n")
        rows = block.split("\n\n")[0].strip().splitlines()
        assert {row.count("|") for row in rows} == {len(shape.columns) + 1}


def test_what_a_table_shows_is_what_was_measured() -> None:
    text = to_markdown(report().document())
    assert "| memory | 1,000,000 | 3.00 | 2.00 (2.00 to 2.00) | 3.00 | 500,000 |" in text
    assert "| id | 500,000 | features |" in text
    assert "| four processes | 100,000 | 2.00 (2.00 to 2.00) | 3.00 | 500,000 | 50,000 |" in text


def test_a_cost_below_zero_is_not_shown_as_noise_of_a_cost() -> None:
    document = report().document()
    document["tables"]["records"][0]["wall_us"] = {"value": 2.0, "low": -7.0, "high": 3.0}
    assert "| 2.00 (up to 3.00) |" in to_markdown(document)


def test_other_bytes_than_of_those_that_do_the_same_are_told() -> None:
    found = report()
    one, other = (row for row in found.rows if row.table == "records")
    found.results.wrote(one, FEW, ("a", "b"))
    found.results.wrote(other, FEW, ("a", "b"))
    assert found.ok
    found.results.wrote(other, FEW, ("a", None))
    assert not found.ok
    assert f"OUTPUTS DIFFER: {other.key} (1,000)" in to_markdown(found.document())
