"""The project's own copy of the contract catalogue."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from contract_catalogue import read_catalogue
from source_tree import PACKAGES, ROOT

OWN = ROOT / "docs" / "contracts.yaml"
SHARED = ROOT.parent / "shared" / "spec" / "contracts.yaml"
CATALOGUE = read_catalogue(OWN)


def test_every_contract_names_a_phase_a_package_and_engines_that_there_are() -> None:
    packages = {package.name for package in PACKAGES}
    for contract in CATALOGUE.contracts.values():
        assert contract.phase in CATALOGUE.phases, contract
        assert contract.package in packages, contract
        assert set(contract.engines) <= CATALOGUE.engines.keys(), contract


def test_the_statements_are_those_that_were_agreed_on() -> None:
    if not SHARED.is_file():
        pytest.skip("since 2026-11-21: ../shared/spec is not beside this checkout")
    agreed: dict[str, Any] = yaml.safe_load(SHARED.read_text("utf-8"))
    assert CATALOGUE.phases == agreed["phases"]
    own = {c.id: (c.phase, c.package, c.says) for c in CATALOGUE.contracts.values()}
    theirs = agreed["contracts"].items()
    assert own == {key: (c["phase"], c["package"], c["says"]) for key, c in theirs}


def test_engines_that_several_contracts_share_are_those_that_all_apply_to() -> None:
    engines = list(CATALOGUE.engines)
    assert CATALOGUE.engines_for([]) == engines
    assert CATALOGUE.engines_for(["PROC-02", "IPC-INT-01"]) == ["memory"]
    assert CATALOGUE.engines_for(["PROC-02", "STOP-IPC-01"]) == engines[1:]
    assert CATALOGUE.engines_for(["IPC-INT-01", "STOP-IPC-01"]) == []
