"""A pytest plugin: the fixture ``zoo``, and ``every_beast`` to run a test once for each.

Not loaded by itself: ``pytest_plugins = ["sk_supervisor.testing.zoo"]`` in the top ``conftest.py``,
or ``-p sk_supervisor.testing.zoo``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sk_supervisor.testing._beasts import BEASTS
from sk_supervisor.testing._zoo import Zoo

every_beast = pytest.mark.parametrize("beast", BEASTS.values(), ids=str)
"""Runs a test once for each beast, as its argument ``beast``.

``crash_loop`` among them, which ``zoo.run`` refuses in a group that cannot be restarted.
"""


@pytest.fixture
def zoo(tmp_path: Path) -> Zoo:
    """A zoo of hostile workers, in the test's own folder; another slack is given to ``check``."""
    return Zoo(tmp_path / "zoo")
