"""How tests are written here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from source_tree import PACKAGES, expect_none, files_of_testbeds, parse, where

TEST_FILES = [*files_of_testbeds(), *(path for package in PACKAGES for path in package.tests())]


def test_no_test_sleeps() -> None:
    expect_none(where(path, line) for path in TEST_FILES for line in sleeps(path))


def test_no_two_test_modules_share_a_name() -> None:
    names = [path.name for path in TEST_FILES if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "source", ["import time\ntime.sleep(1)", "from time import sleep\nsleep(1)"]
)
def test_a_sleep_is_seen_in_either_form(tmp_path: Path, source: str) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text(source)
    assert sleeps(sample) == [2]


def sleeps(path: Path) -> list[int]:
    """The lines that call ``time.sleep``."""
    if "sleep" not in path.read_text("utf-8"):
        return []
    return [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and is_sleep(node.func)
    ]


def is_sleep(called: ast.expr) -> bool:
    match called:
        case ast.Name("sleep") | ast.Attribute(ast.Name("time"), "sleep"):
            return True
    return False
