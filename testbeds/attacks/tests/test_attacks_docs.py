"""The threat model names tests and attacks that exist, and every attack."""

from __future__ import annotations

import re
from pathlib import Path

from attacks_on_control import CONTROL_ATTACKS, RAW_ATTACKS
from attacks_on_data import DATA_ATTACKS

ROOT = Path(__file__).resolve().parents[3]
SECURITY = (ROOT / "docs" / "security.md").read_text("utf-8")


def test_every_test_that_the_threat_model_names_exists() -> None:
    sources = {path.name: path for path in ROOT.glob("packages/*/tests/test_*.py")}
    sources |= {path.name: path for path in ROOT.glob("testbeds/*/tests/test_*.py")}
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", SECURITY)
    missing = [
        f"{file}::{name}"
        for file, name in named
        if file not in sources or f"def {name}(" not in sources[file].read_text("utf-8")
    ]
    assert len(named) > 30
    assert missing == []


def test_the_threat_model_names_the_attacks_of_the_corpus() -> None:
    corpus = {attack.name for attack in DATA_ATTACKS}
    corpus |= {attack.name for attack in (*CONTROL_ATTACKS, *RAW_ATTACKS)}
    named = {name.strip() for name in re.findall(r"corpus: ([a-z ]+)", SECURITY)}
    assert named <= corpus


def test_every_module_that_the_threat_model_names_exists() -> None:
    packages = {"T": "transport", "C": "control", "S": "supervisor"}
    for letter, module in re.findall(r"\b([TCS]) `(_[\w/]+)`", SECURITY):
        name = packages[letter]
        path = ROOT / f"packages/sk-{name}/src/sk_{name}/{module}.py"
        assert path.is_file(), f"{letter} {module}"
