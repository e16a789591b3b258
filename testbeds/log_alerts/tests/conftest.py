"""Make the application importable, by these tests and by the workers of the runs they start."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sk_config import Config, load_config

TESTBED = Path(__file__).parent.parent
if str(TESTBED) not in sys.path:
    sys.path.insert(0, str(TESTBED))  # workers inherit it, as they do any module search path


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Config]:
    """Load a file of the testbed, with overrides; the output goes to ``tmp_path``."""

    def make(name: str, *overrides: str) -> Config:
        places = [
            f"adapters.source.settings.path={TESTBED / 'app.log'}",
            f"adapters.sink.settings.path={tmp_path / 'alerts.txt'}",
        ]
        return load_config(TESTBED / name, overrides=[*places, *overrides])

    return make
