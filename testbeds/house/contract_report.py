"""Pytest plugin: with ``--contracts-report FILE``, run the marked tests and write the matrix there.

Only tests with a contract mark are kept, with ``--contracts-phase`` those of one phase. The run
fails on a gap too: an id without a test, on one of its engines for that matter, and a test that is
passed over without a dated reason. Under xdist the workers say what they collected, and the reports
come as they always do: nothing is read from the output.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from contract_engines import catalogue_of, engine_of
from contract_matrix import MarkedTest, Outcome, document

_WORKER_OUTPUT = "contract_tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the two options."""
    group = parser.getgroup("contracts")
    group.addoption(
        "--contracts-report", metavar="FILE", help="run what is marked, write the matrix as JSON"
    )
    group.addoption("--contracts-phase", metavar="PHASE", help="only this phase of the catalogue")


def pytest_configure(config: pytest.Config) -> None:
    """Report where that is asked for."""
    if config.getoption("contracts_report") is None:
        return
    phase = config.getoption("contracts_phase")
    if phase is not None and phase not in catalogue_of(config).phases:
        known = ", ".join(catalogue_of(config).phases)
        raise pytest.UsageError(f"--contracts-phase: {phase!r} is none of {known}")
    kind = _Matrix if getattr(config, "workerinput", None) is None else _WorkersPart
    config.pluginmanager.register(kind(config), "contract-report")


class _Selection:
    """What any process does: keep the tests that are marked, and know them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._catalogue = catalogue_of(config)
        self._phase: str | None = config.getoption("contracts_phase")
        self._tests: dict[str, MarkedTest] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wanted = {contract.id for contract in self._catalogue.of_phase(self._phase)}
        kept: list[pytest.Item] = []
        others: list[pytest.Item] = []
        for item in items:
            ids = {each for mark in item.iter_markers("contract") for each in mark.args} & wanted
            (kept if ids else others).append(item)
            if ids:
                test = MarkedTest(item.nodeid, tuple(sorted(ids)), engine_of(item))
                self._tests[item.nodeid] = test
        items[:] = kept
        self._config.hook.pytest_deselected(items=others)


class _WorkersPart(_Selection):
    """In a worker of xdist: tell the controller, which collects nothing itself."""

    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined]
        output[_WORKER_OUTPUT] = [astuple(test) for test in self._tests.values()]


class _Matrix(_Selection):
    """In the process that decides: gather what came of every test, and write it down."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self._outcomes: dict[str, Outcome] = {}
        self._broken: list[str] = []
        self._faults: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for nodeid, ids, engine in getattr(node, "workeroutput", {}).get(_WORKER_OUTPUT, ()):
            self._tests[nodeid] = MarkedTest(nodeid, tuple(ids), engine)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and report.nodeid not in self._broken:
            self._broken.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self._outcomes.get(report.nodeid, Outcome("passed"))
        self._outcomes[report.nodeid] = merged(before, report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        tests = sorted(self._tests.values(), key=lambda test: test.nodeid)
        found = document(self._catalogue, tests, self._outcomes, self._phase, self._broken)
        self._faults = found["faults"]
        path = Path(self._config.getoption("contracts_report"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
        if self._faults and session.exitstatus in (
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        ):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._faults:
            terminalreporter.section("contracts that are not proven")
            for line in self._faults:
                terminalreporter.line(line)


def merged(before: Outcome, report: pytest.TestReport) -> Outcome:
    """The outcome of a test after one more of its three reports."""
    seconds = before.seconds + report.duration
    if report.failed:
        return Outcome("failed", seconds)
    if report.skipped:
        expected_to_fail = hasattr(report, "wasxfail")
        reason = report.wasxfail if expected_to_fail else _reason(report.longrepr)
        return Outcome("xfailed" if expected_to_fail else "skipped", seconds, str(reason))
    return Outcome(before.outcome, seconds, before.reason)


def _reason(longrepr: object) -> str:
    """Of a skip: the last of its file, its line and its message."""
    parts: Iterable[object] = longrepr if isinstance(longrepr, tuple) else (longrepr,)
    return str(list(parts)[-1]).removeprefix("Skipped: ")
