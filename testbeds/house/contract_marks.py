"""Pytest plugin: every ``@pytest.mark.contract("ID", ...)`` names ids of the contract catalogue.

A mark with an unknown id, or with none, is a collection error of the module that holds the test:
that fails the run wherever it is collected, in an xdist worker too (where a ``UsageError`` would
only crash the worker).
"""

from __future__ import annotations

import difflib
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
import yaml

KNOWN_IDS = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the setting that says where the catalogue is."""
    parser.addini("contracts_file", "the contract catalogue, relative to the root", type="string")


def pytest_configure(config: pytest.Config) -> None:
    """Read the catalogue once; a missing or malformed one is a usage error."""
    path = config.rootpath / str(config.getini("contracts_file"))
    try:
        config.stash[KNOWN_IDS] = read_ids(path)
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise pytest.UsageError(f"contracts_file: {path} is no contract catalogue") from error


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a collection that holds faulty marks into a failed one."""
    report = yield
    tests = (node for node in report.result or () if isinstance(node, pytest.Item))
    faults = dict.fromkeys(faults_of(tests, collector.config.stash[KNOWN_IDS]))
    if faults:
        report.outcome = "failed"
        report.longrepr = "\n".join(faults)
        report.result = []
    return report


def read_ids(path: Path) -> frozenset[str]:
    """The ids that the catalogue at ``path`` lists under ``contracts``."""
    return frozenset(yaml.safe_load(path.read_text("utf-8"))["contracts"])


def faults_of(tests: Iterable[pytest.Item], known: frozenset[str]) -> Iterator[str]:
    """Describe each faulty contract mark on ``tests``, without their parameters."""
    for test in tests:
        for mark in test.iter_markers("contract"):
            for fault in mark_faults(mark.args, known):
                yield f"{test.nodeid.partition('[')[0]}: {fault}"


def mark_faults(ids: Sequence[object], known: frozenset[str]) -> Iterator[str]:
    """Say what is wrong with one mark that carries ``ids``."""
    if not ids:
        yield "a contract mark without an id: name what the test proves"
    for contract in ids:
        if contract not in known:
            near = difflib.get_close_matches(str(contract), known)
            hint = f"; the nearest known: {', '.join(near)}" if near else ""
            yield f"unknown contract id {contract!r}{hint}"
