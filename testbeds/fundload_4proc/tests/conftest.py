"""Make the testbed's programs, and what its tests share, importable by their names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTBED = Path(__file__).parent.parent

for folder in (TESTBED, TESTBED / "reference", TESTBED / "tests"):
    sys.path.insert(0, str(folder))

from e2e_bench import Bench  # noqa: E402 - importable from here on
from parity_runs import Runs  # noqa: E402


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder to run the workload in; nothing may be left behind of what ran there."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What the generator writes for 2 000 records, unreadable lines among them."""
    folder = tmp_path_factory.mktemp("dirty")
    return Runs(folder, timeout_seconds=100).generate(2_000, seed=1).read_bytes()
