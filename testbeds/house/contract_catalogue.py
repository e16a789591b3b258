"""The contract catalogue as values: its phases, its engines, and what each id says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Contract:
    """One named behaviour, and the engines on which it is to be proven (none: no engine counts)."""

    id: str
    phase: str
    package: str
    says: str
    engines: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """All of them in the order of the file; phases and engines with what they are."""

    phases: Mapping[str, str]
    engines: Mapping[str, str]
    contracts: Mapping[str, Contract]

    def of_phase(self, phase: str | None) -> list[Contract]:
        """The contracts of one phase, or all."""
        return [c for c in self.contracts.values() if phase in (None, c.phase)]

    def engines_for(self, ids: Iterable[str]) -> list[str]:
        """The engines that every one of these ids applies to; without an id, all."""
        wanted = [self.contracts[each].engines for each in ids]
        return [name for name in self.engines if all(name in engines for engines in wanted)]


def read_catalogue(path: Path) -> Catalogue:
    """Read the file.

    :raises OSError, yaml.YAMLError, KeyError, TypeError: when it is no catalogue.
    """
    document: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    contracts = {
        name: Contract(name, row["phase"], row["package"], row["says"], tuple(row["engines"]))
        for name, row in document["contracts"].items()
    }
    return Catalogue(document["phases"], document["engines"], contracts)
