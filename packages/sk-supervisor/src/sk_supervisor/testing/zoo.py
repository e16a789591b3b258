"""A pytest plugin: the fixture ``zoo``, and ``every_beast``, which runs a test once per beast.

It is not loaded automatically: write ``pytest_plugins = ["sk_supervisor.testing.zoo"]`` in the top
``conftest.py``, or pass ``-p sk_supervisor.testing.zoo``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sk_supervisor.testing._beasts import BEASTS
from sk_supervisor.testing._zoo import Zoo

every_beast = pytest.mark.parametrize("beast", BEASTS.values(), ids=str)
"""Run a test once for each beast, passed as its argument ``beast``.

This includes ``crash_loop``, which ``zoo.run`` rejects in a group that cannot be restarted.
"""


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    """A zoo in a folder of the test's own; pass another slack to :meth:`Visit.check`."""
    return Zoo(tmp_path / "zoo")
