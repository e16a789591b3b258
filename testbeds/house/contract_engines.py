"""Pytest plugin: a test that asks for ``engine`` runs on every engine that its contracts name.

The engines are those of the catalogue: ``memory``, ``one_group``, ``four_groups`` and
``several_workers``. A test with several ids runs where all of them apply, one without any id runs
everywhere. The fixture has the scope of the session, so that a fixture that depends on it can run
an application once an engine for as many tests as like to look at what came of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from contract_catalogue import Catalogue, read_catalogue

CATALOGUE = pytest.StashKey[Catalogue]()
WORKERS: Final = 2
"""How many workers a group that is shared has on the engine ``several_workers``."""


@dataclass(frozen=True)
class Part:
    """One of the process groups that an application is cut into; a shared one may have workers."""

    name: str
    nodes: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class Engine:
    """One way to run an application."""

    name: str

    @property
    def in_processes(self) -> bool:
        """Whether workers do the work, and not the caller."""
        return self.name != "memory"

    @property
    def mode(self) -> str:
        """The value of ``runtime.platform.bootstrap.mode``."""
        return "process_supervisor" if self.in_processes else "inline"

    @property
    def profile(self) -> str:
        """What status and reports call it."""
        return "process_supervisor" if self.in_processes else "memory"

    def groups(self, parts: Sequence[Part]) -> list[dict[str, Any]]:
        """The value of ``runtime.platform.process_groups`` for an application so cut."""
        if not self.in_processes:
            return []
        if self.name == "one_group":
            return [{"name": "all", "nodes": [node for part in parts for node in part.nodes]}]
        return [
            {"name": part.name, "nodes": list(part.nodes), "workers": self._workers(part)}
            for part in parts
        ]

    def _workers(self, part: Part) -> int:
        return WORKERS if part.shared and self.name == "several_workers" else 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for it the engines of its contracts."""
    if "engine" not in metafunc.fixturenames:
        return
    catalogue = catalogue_of(metafunc.config)
    ids = [each for mark in metafunc.definition.iter_markers("contract") for each in mark.args]
    engines = catalogue.engines_for(each for each in ids if each in catalogue.contracts)
    if not engines:
        pytest.fail(f"no engine that all of these apply to: {', '.join(ids)}", pytrace=False)
    metafunc.parametrize("engine", engines, indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    """One of the engines that the contracts of the test apply to."""
    return Engine(request.param)


def catalogue_of(config: pytest.Config) -> Catalogue:
    """The catalogue that ``contracts_file`` names, read once."""
    if CATALOGUE not in config.stash:
        path = Path(config.rootpath, str(config.getini("contracts_file")))
        config.stash[CATALOGUE] = read_catalogue(path)
    return config.stash[CATALOGUE]


def engine_of(test: pytest.Item) -> str:
    """The name of the engine that a test runs on; empty for one that asks for none."""
    callspec = getattr(test, "callspec", None)
    return "" if callspec is None else str(callspec.params.get("engine", ""))
