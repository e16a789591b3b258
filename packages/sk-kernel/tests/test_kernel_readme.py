"""The README's example does what the README says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs_as_printed(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
    sys.path.insert(0, str(tmp_path))
    try:
        (tmp_path / "shop_of_the_readme.py").write_text(blocks[0])
        exec(blocks[1].replace("shop", "shop_of_the_readme"), {})  # noqa: S102 - our README
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("shop_of_the_readme", None)


@pytest.mark.parametrize("name", ["run_node", "run_application", "run_placed"])
def test_the_test_kit_is_named(name: str) -> None:
    assert name in README.read_text("utf-8")
