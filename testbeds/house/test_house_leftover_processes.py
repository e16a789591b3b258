"""The plugin ``leftover_processes``, run on small suites of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

MANIFEST = f"""
[tool.pytest.ini_options]
pythonpath = [{str(Path(__file__).parent)!r}]
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project that loads the plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # it takes more time than the suite
    pytester.makepyprojecttoml(MANIFEST)
    pytester.makeconftest("pytest_plugins = ['leftover_processes']")
    return pytester


def test_a_suite_that_leaves_nothing_passes(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        import subprocess, sys

        def test_tidy():
            subprocess.run([sys.executable, "-c", ""], check=True)
        """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_a_child_left_behind_fails_the_run(suite: pytest.Pytester, xdist: tuple[str, ...]) -> None:
    # The child ends by itself when the pipe that its parent holds is closed: at the parent's end.
    suite.makepyfile(
        """
        import subprocess, sys

        def test_untidy():
            global child
            child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        """
    )
    result = suite.runpytest_subprocess(*xdist)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tests left processes behind*", "*input()*"])


@pytest.mark.parametrize("xdist", [(), ("-p", "xdist", "-n", "1")], ids=["alone", "xdist"])
def test_an_orphan_left_behind_fails_the_run(
    suite: pytest.Pytester, xdist: tuple[str, ...]
) -> None:
    # It ends by itself when the pipe that the test process holds is closed: at that one's end.
    suite.makepyfile(
        """
        import os, subprocess, sys

        PARENT = (
            "import subprocess, sys;"
            "subprocess.Popen([sys.executable, '-c', 'input()'], start_new_session=True)"
        )

        def test_untidy():
            global write
            read, write = os.pipe()
            subprocess.run([sys.executable, "-c", PARENT], stdin=read, check=True)
            os.close(read)
        """
    )
    result = suite.runpytest_subprocess(*xdist)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*tests left processes behind*", "*input()*"])


def test_the_resource_tracker_of_multiprocessing_may_stay(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        from multiprocessing import resource_tracker

        def test_tracked():
            resource_tracker.ensure_running()
        """
    )
    result = suite.runpytest_subprocess()
    result.assert_outcomes(passed=1)
