"""What the quickstart shows of a run without ``--quiet``."""

from __future__ import annotations

import re
from pathlib import Path

from page_examples import said_by, write_files
from source_tree import ROOT

_SHOWN = re.compile(r"^```text\n\$ (sk run [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FIGURES = re.compile(r"[\d.]+ s, [\d,]+/s")


def summary(text: str) -> str:
    """The lines from the outcome on, without the figures of the time."""
    return _FIGURES.sub("S s, N/s", text[text.index("completed: ") :])


def test_the_summary_in_the_quickstart_is_that_of_its_run(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "quickstart.md").read_text("utf-8")
    write_files(page, tmp_path)
    shown = _SHOWN.search(page)
    assert shown
    assert summary(said_by(shown[1], tmp_path)) == summary(shown[2])
