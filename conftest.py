"""What holds for every test of the repository; the rules themselves live in ``testbeds/house``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "contract_marks",
    "contract_engines",
    "contract_report",
    "leftover_processes",
    "pytester",
]

# How long an example takes says nothing on a machine that runs other tests at the same time.
settings.register_profile("house", parent=settings(), deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def run_dir() -> Iterator[Path]:
    """A run directory of these tests' own; a socket's path must be short, which tmp_path is not."""
    folder = Path(tempfile.mkdtemp(prefix="sk-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SK_RUN_DIR", str(folder))
        yield folder
    shutil.rmtree(folder)
