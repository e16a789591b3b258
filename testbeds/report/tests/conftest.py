"""Make the testbed's modules importable by their names, and give a folder of whole reports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTBED = Path(__file__).parent.parent
for folder in (TESTBED, TESTBED / "tests"):
    sys.path.insert(0, str(folder))

from report_samples import write_samples  # noqa: E402 - importable from here on


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder in which every session has left its report."""
    write_samples(tmp_path)
    return tmp_path
