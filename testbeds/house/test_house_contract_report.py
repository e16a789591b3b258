"""The plugins ``contract_engines`` and ``contract_report``, run on small suites of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from contract_catalogue import Catalogue, Contract
from contract_engines import Engine, Part
from contract_matrix import MarkedTest, Outcome, document

MANIFEST = f"""
[tool.pytest.ini_options]
pythonpath = [{str(Path(__file__).parent)!r}]
contracts_file = "contracts.yaml"
markers = ["contract(id, ...): what a test proves"]
"""
CATALOGUE = """
phases: {"1": one, "2": two}
engines: {memory: m, one_group: o, four_groups: f, several_workers: s}
contracts:
  ALL-01: {phase: "1", package: p, engines: [memory, one_group], says: "everywhere"}
  ONE-01: {phase: "1", package: p, engines: [one_group], says: "in processes"}
  PART-01: {phase: "2", package: p, engines: [], says: "of a part"}
"""
PROVEN = """
import pytest

@pytest.mark.contract("ALL-01")
def test_all(engine):
    assert engine.name in ("memory", "one_group")

@pytest.mark.contract("ALL-01", "ONE-01")
def test_one(engine):
    assert engine.name == "one_group"

def test_unmarked():
    raise AssertionError("is not run")
"""
PART = """
import pytest

@pytest.mark.contract("PART-01")
def test_part():
    pass
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it takes more time than the suite
    pytester.makepyprojecttoml(MANIFEST)
    plugins = ["contract_marks", "contract_engines", "contract_report"]
    pytester.makeconftest(f"pytest_plugins = {plugins!r}")
    pytester.makefile(".yaml", contracts=CATALOGUE)
    return pytester


def report_of(suite: pytest.Pytester, *options: str) -> tuple[int, dict[str, Any]]:
    path = suite.path / "reports" / "contracts.json"
    plain = ("-p", "no:cacheprovider")
    # xdist starts processes, and wants one of its own to do so from.
    run = suite.runpytest_subprocess if "-n" in options else suite.runpytest_inprocess
    result = run("--contracts-report", str(path), *plain, *options)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return result.ret, found


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_the_matrix_has_every_id_with_its_tests_and_a_verdict_on_each_engine(
    suite: pytest.Pytester, xdist: tuple[str, ...]
) -> None:
    suite.makepyfile(test_proven=PROVEN, test_part=PART)
    code, found = report_of(suite, *xdist)
    assert (code, found["ok"], found["faults"]) == (0, True, [])
    rows = {row["id"]: row for row in found["contracts"]}
    assert list(rows) == ["ALL-01", "ONE-01", "PART-01"]
    assert rows["ALL-01"]["engines"] == {"memory": "passed", "one_group": "passed"}
    assert rows["PART-01"]["engines"] == {}
    assert {row["result"] for row in rows.values()} == {"passed"}
    ran = [(proof["test"], proof["engine"]) for proof in rows["ALL-01"]["tests"]]
    assert ran == [
        ("test_proven.py::test_all[memory]", "memory"),
        ("test_proven.py::test_all[one_group]", "one_group"),
        ("test_proven.py::test_one[one_group]", "one_group"),
    ]


def test_a_contract_without_a_test_fails_the_session(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_proven=PROVEN)
    code, found = report_of(suite)
    assert (code, found["faults"]) == (1, ["PART-01: no test"])


def test_a_phase_is_reported_by_itself(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_part=PART)
    code, found = report_of(suite, "--contracts-phase", "2")
    assert (code, [row["id"] for row in found["contracts"]]) == (0, ["PART-01"])


def test_an_unknown_phase_is_a_usage_error(suite: pytest.Pytester) -> None:
    options = ("--contracts-report", "r.json", "--contracts-phase", "9")
    assert suite.runpytest_inprocess(*options).ret == pytest.ExitCode.USAGE_ERROR


def test_a_module_that_cannot_be_collected_is_a_fault(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_proven=PROVEN, test_part=PART, test_broken="import no_such_module")
    code, found = report_of(suite)
    assert code != 0
    assert "test_broken.py: not collected" in found["faults"]


def test_ids_that_no_engine_applies_to_together_fail_the_collection(
    suite: pytest.Pytester,
) -> None:
    mark = "import pytest\n\n@pytest.mark.contract('PART-01')\ndef test_it(engine): pass\n"
    suite.makepyfile(mark)
    result = suite.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*no engine that all of these apply to: PART-01*"])


# ---- the verdict, as a function ------------------------------------------------------------------

CONTRACT = Contract("ID-01", "1", "p", "something", ("memory", "one_group"))
SMALL = Catalogue({"1": "one"}, {"memory": "m", "one_group": "o"}, {"ID-01": CONTRACT})
TESTS = [MarkedTest(f"t[{name}]", ("ID-01",), name) for name in ("memory", "one_group")]
FINE = Outcome("passed")


def row_of(**outcomes: Outcome) -> dict[str, Any]:
    found = document(SMALL, TESTS, {f"t[{name}]": came for name, came in outcomes.items()})
    [row] = found["contracts"]
    assert found["ok"] is not bool(row["faults"])
    return {"result": row["result"], "engines": row["engines"], "faults": row["faults"]}


def test_a_failure_on_one_engine_is_that_engines_and_the_ids() -> None:
    row = row_of(memory=FINE, one_group=Outcome("failed"))
    assert row["engines"] == {"memory": "passed", "one_group": "failed"}
    assert (row["result"], row["faults"]) == ("failed", ["failed: t[one_group]"])


def test_a_test_that_never_ran_has_not_passed() -> None:
    assert row_of(memory=FINE)["faults"] == ["not run: t[one_group]"]


def test_an_engine_without_a_test_is_missing() -> None:
    found = document(SMALL, TESTS[:1], {"t[memory]": FINE})
    assert found["faults"] == ["ID-01: no test on one_group"]
    assert found["contracts"][0]["result"] == "missing"


@pytest.mark.parametrize("kind", ["skipped", "xfailed"])
def test_a_test_may_be_passed_over_for_a_dated_reason_only(kind: str) -> None:
    dated = row_of(memory=FINE, one_group=Outcome(kind, reason="since 2026-11-21: no such thing"))
    assert (dated["result"], dated["faults"]) == ("skipped", [])
    undated = row_of(memory=FINE, one_group=Outcome(kind, reason="flaky"))
    assert undated["result"] == "failed"
    assert undated["faults"] == [f"{kind} without a dated reason: t[one_group]"]


# ---- the engines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mode", "groups"),
    [
        ("memory", "inline", []),
        ("one_group", "process_supervisor", [("all", ["a", "b"], 1)]),
        ("four_groups", "process_supervisor", [("x", ["a"], 1), ("y", ["b"], 1)]),
        ("several_workers", "process_supervisor", [("x", ["a"], 1), ("y", ["b"], 2)]),
    ],
)
def test_an_engine_cuts_an_application_into_its_groups(
    name: str, mode: str, groups: list[tuple[str, list[str], int]]
) -> None:
    engine = Engine(name)
    cut = engine.groups([Part("x", ("a",)), Part("y", ("b",), shared=True)])
    assert engine.mode == mode
    assert [(g["name"], g["nodes"], g.get("workers", 1)) for g in cut] == groups
