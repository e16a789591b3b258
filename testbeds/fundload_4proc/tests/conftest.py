"""Make the testbed's programs, and what its tests share, importable by their names."""

from __future__ import annotations

import sys
from pathlib import Path

TESTBED = Path(__file__).parent.parent

for folder in (TESTBED, TESTBED / "reference", TESTBED / "tests"):
    sys.path.insert(0, str(folder))
