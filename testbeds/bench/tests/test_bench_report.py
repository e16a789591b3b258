"""The report: identity of outputs, the verdict, and its three forms."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

from bench_markdown import to_markdown, verdict_lines
from bench_plot import to_svg
from bench_report import Report, to_json
from bench_results import Measured, Results
from bench_systems import SYSTEMS, chosen
from bench_target_table import TARGETS
from bench_targets import evaluate

CHOSEN = chosen(["memory", "four", "beam"])
ENVIRONMENT = {"python": "P", "system": "S", "cores": 2, "load_before": 0.5, "versions": {"a": "1"}}


def measured(wall: float, output: str = "same") -> Measured:
    return Measured(wall, wall, wall / 2, output, "rejects")


def report(memory_cost: float = 0.5, output: str = "same") -> Report:
    """H at a second a record, memory and four processes as told, and Beam absent."""
    results = Results((10, 110))
    for name, cost in (("hand_loop", 1.0), ("memory", memory_cost), ("four", 0.25)):
        for records in results.records:
            wrote = output if name == "memory" else "same"
            results.runs[name, records] = [measured(1 + cost * records, wrote)] * 3
    results.drop("beam", "no | wheel <for> this Python")
    return Report(ENVIRONMENT, {10: "aa", 110: "bb"}, CHOSEN, results, evaluate(results, TARGETS))


def parse(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314 - of our own making


def test_a_session_is_ok_when_outputs_are_identical_and_floors_are_held() -> None:
    assert report().ok
    assert report().differing == []


def test_other_bytes_than_the_yardstick_fail_the_session_and_are_named() -> None:
    found = report(output="other")
    assert not found.ok
    assert found.differing == ["memory (10)", "memory (110)"]
    assert "OUTPUTS DIFFER: memory (10), memory (110)" in verdict_lines(found)[-1]


def test_a_run_that_wrote_nothing_is_not_identical() -> None:
    found = report()
    runs = found.results.runs
    for key, made in runs.items():
        runs[key] = [replace(run, output_sha256=None) for run in made]
    assert not found.ok


def test_a_ratio_below_its_floor_fails_the_session_and_is_named() -> None:
    found = report(memory_cost=2.0)
    assert not found.ok
    assert "Below the floor: P1, memory profile by H." in verdict_lines(found)[-1]


def test_a_row_with_a_floor_that_nothing_was_measured_for_is_told() -> None:
    found = report()
    found.results.drop("memory", "refused")
    rows = evaluate(found.results, TARGETS)
    assert "P1, memory profile by H" in replace(found, rows=rows).unmeasured


def test_the_json_has_every_run_and_what_is_absent() -> None:
    document = json.loads(to_json(report()))
    systems = {system["name"]: system for system in document["systems"]}
    assert systems["beam"]["absent"] == "no | wheel <for> this Python"
    assert len(systems["four"]["sizes"]["110"]["runs"]) == 3
    assert systems["four"]["sizes"]["110"]["ratio_to_yardstick"]["value"] == 4.0
    assert {row["id"] for row in document["targets"]} == {f"P{number}" for number in range(1, 12)}


def test_the_markdown_has_a_row_for_each_target_and_system_in_tables_that_hold() -> None:
    text = to_markdown(report(), plot="bench.svg")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows if "P1" in row or "P2" in row} == {9}
    assert "- `beam`: absent: no | wheel" in text
    assert "(1000000.00 us a record)" in text


def test_the_picture_is_well_formed_and_readable_in_light_and_dark() -> None:
    picture = to_svg(report())
    texts = [element.text for element in parse(picture).iter() if element.text]
    assert "ours: four processes" in texts
    assert "4.00  (110)" in texts
    assert "prefers-color-scheme: dark" in picture


def test_a_picture_of_nothing_is_one_too() -> None:
    empty = Results((10, 110))
    parse(to_svg(Report(ENVIRONMENT, {}, CHOSEN, empty, [])))


def test_a_choice_brings_the_yardstick_of_its_rules() -> None:
    assert [system.name for system in chosen(["four_baseline"])] == [
        "hand_loop_baseline",
        "four_baseline",
    ]
    assert len(chosen([system.name for system in SYSTEMS])) == len(SYSTEMS)
