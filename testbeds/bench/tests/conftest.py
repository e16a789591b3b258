"""Make the testbed's programs importable by their names."""

from __future__ import annotations

import sys
from pathlib import Path

TESTBED = Path(__file__).parent.parent

for folder in (TESTBED, TESTBED / "peers"):
    sys.path.insert(0, str(folder))
