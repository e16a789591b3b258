"""The page on requests does what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "requests.md"


@pytest.mark.skipif(not PAGE.exists(), reason="2026-11-21: the docs are not beside the package")
def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    for name, content in re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.S):
        (tmp_path / name).write_text(content, "utf-8")
    done = subprocess.run(
        [sys.executable, "ask.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("success Hello Ada", "")
    assert f"prints `{done.stdout.strip()}`" in text
