"""The plugin ``contract_marks``, run on small suites of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract_marks import mark_faults, read_ids
from source_tree import ROOT

MANIFEST = f"""
[tool.pytest.ini_options]
pythonpath = [{str(Path(__file__).parent)!r}]
contracts_file = "contracts.yaml"
markers = ["contract(id, ...): what a test proves"]
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose catalogue knows SEC-IPC-01 and SEC-IPC-02."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it takes more time than the suite
    pytester.makepyprojecttoml(MANIFEST)
    pytester.makeconftest("pytest_plugins = ['contract_marks']")
    pytester.makefile(".yaml", contracts="contracts: {SEC-IPC-01: {}, SEC-IPC-02: {}}")
    return pytester


def makes(suite: pytest.Pytester, mark: str) -> None:
    """Write a suite of one test that bears ``mark``."""
    suite.makepyfile(f"import pytest\n\n@pytest.mark.{mark}\ndef test_it():\n    pass\n")


def test_known_ids_are_collected(suite: pytest.Pytester) -> None:
    makes(suite, "contract('SEC-IPC-01', 'SEC-IPC-02')")
    suite.runpytest().assert_outcomes(passed=1)


def test_an_unknown_id_fails_collection_with_its_test_and_the_nearest_ids(
    suite: pytest.Pytester,
) -> None:
    makes(suite, "contract('SEC-IPC-1')")
    result = suite.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*::test_it: unknown contract id 'SEC-IPC-1'*SEC-IPC-01*"])


def test_a_mark_without_an_id_fails_collection(suite: pytest.Pytester) -> None:
    makes(suite, "contract")
    result = suite.runpytest()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*::test_it: a contract mark without an id*"])


def test_an_unknown_id_fails_collection_in_xdist_workers(suite: pytest.Pytester) -> None:
    makes(suite, "contract('NO-SUCH-01')")
    result = suite.runpytest_subprocess("-p", "xdist", "-n", "1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*::test_it: unknown contract id 'NO-SUCH-01'*"])


def test_an_unknown_id_on_a_deselected_test_fails_collection_too(suite: pytest.Pytester) -> None:
    makes(suite, "contract('NO-SUCH-01')")
    assert suite.runpytest("-k", "other").ret == pytest.ExitCode.INTERRUPTED


def test_a_missing_catalogue_is_a_usage_error(suite: pytest.Pytester) -> None:
    (suite.path / "contracts.yaml").unlink()
    result = suite.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*contracts.yaml is no contract catalogue"])


def test_an_id_far_from_all_is_named_without_a_guess() -> None:
    assert list(mark_faults(["zzz"], frozenset({"SEC-IPC-01"}))) == ["unknown contract id 'zzz'"]


def test_the_catalogue_of_this_project_is_read() -> None:
    assert {"CFG-IPC-01", "P5PRE-SMOKE-02"} <= read_ids(ROOT / "docs" / "contracts.yaml")
