"""The tables of cost as work grows: each row a way to run, and the sizes it runs at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from bench_systems import Job, workload
from growth_chain import NODES
from growth_chain_config import chain_config

CHAIN: Final = "chain"
"""In place of an input: the pass-through chain makes its own records."""
FUND_LOAD: Final = "fund load"
FEW: Final = 1_000
"""A run of so many records is start and end alone: what the smallest size is compared with."""


class Files(NamedTuple):
    """The files of one run; ``source`` is not there for a chain."""

    source: Path
    output: Path
    rejects: Path
    config: Path
    spans: Path


Arguments = Callable[[Files, int], Sequence[str]]


@dataclass(frozen=True)
class Row:
    """A row of a table.

    ``cells`` set it apart; ``sizes`` ascend, and each is compared with the one before it. Rows that
    do the ``same`` must write the same bytes at the same size. ``made_of`` is the input. Where
    ``timed`` is false only its memory is looked at.
    """

    table: str
    cells: Mapping[str, str]
    sizes: tuple[int, ...]
    arguments: Arguments = field(compare=False)
    same: str
    made_of: str = FUND_LOAD
    payload_bytes: int = 0
    timed: bool = True

    def looked_at(self, size: int) -> bool:
        """Whether its memory is told at a size: not at the smallest, which is start and end."""
        return size != self.sizes[0] or not self.timed

    @property
    def key(self) -> str:
        """Its name, among all."""
        return f"{self.table}: {', '.join(f'{n} {cell}' for n, cell in self.cells.items())}"


def rows_of(tables: Sequence[str], largest: int) -> list[Row]:
    """Give the rows of the named tables, with no run of more records than ``largest``."""
    return [row for name in tables for row in TABLES[name](largest)]


def records(largest: int) -> Iterator[Row]:
    """How many records."""
    sizes = (FEW, *(n for n in (10_000, 100_000, 1_000_000, 10_000_000) if n <= largest))
    for title, profile in _PROFILES.items():
        yield Row("records", {"profile": title}, sizes, _fund_load("exp_mp", profile), "exp_mp")


def groups(largest: int) -> Iterator[Row]:
    """Among how many groups the same nodes are divided."""
    sizes = (FEW, min(100_000, largest))
    for number in (0, 1, 2, 3, 4, 5, 6, 8, NODES):
        cells = {"groups": str(number) if number else "memory profile"}
        yield Row("groups", cells, sizes, _chain(number, 100), "chain", CHAIN, 100)


def workers(largest: int) -> Iterator[Row]:
    """Among how many workers a keyed group is divided: the policies, by customer."""
    sizes = (FEW, min(200_000, largest))
    for number in (1, 2, 3, 4):
        override = f"runtime.platform.process_groups[2].workers={number}"
        run = _fund_load("baseline", "multiprocess", override)
        yield Row("workers", {"workers": str(number)}, sizes, run, "baseline")


def payload(largest: int) -> Iterator[Row]:
    """How large a record is; the chain in four groups, some 200 MB in all."""
    for size, most in ((100, 200_000), (1_000, 100_000), (10_000, 20_000), (100_000, 2_000)):
        sizes = (min(FEW, most // 10), min(most, largest))
        for title, number in (("memory", 0), ("four processes", 4)):
            cells = {"profile": title, "bytes": f"{size:,}"}
            yield Row("payload", cells, sizes, _chain(number, size), f"{size}", CHAIN, size)


def tracing(largest: int) -> Iterator[Row]:
    """Which share of the records is traced, to a file."""
    sizes = (FEW, min(100_000, largest))
    for title, profile in _PROFILES.items():
        for name, ratio in (("off", 0.0), ("1 %", 0.01), ("100 %", 1.0)):
            run = _traced(profile, ratio) if ratio else _fund_load("exp_mp", profile)
            cells = {"profile": title, "sampling": name}
            yield Row("tracing", cells, sizes, run, "exp_mp")


def state(largest: int) -> Iterator[Row]:
    """What is remembered of each id and customer: memory by how many there are."""
    sizes = (FEW, min(500_000, largest))
    for made_of in STATES:
        run = _fund_load("baseline", "multiprocess")
        yield Row("state", {"each": made_of}, sizes, run, made_of, made_of, timed=False)


STATES: Final = ("id", "customer", "day")
"""Inputs of which each line brings another one of these, see `growth_inputs`."""

TABLES: Final[Mapping[str, Callable[[int], Iterator[Row]]]] = {
    "records": records,
    "groups": groups,
    "workers": workers,
    "payload": payload,
    "tracing": tracing,
    "state": state,
}
"""By name, in the order of the report."""

_PROFILES: Final = {"memory": "memory", "four processes": "multiprocess"}


def _fund_load(rules: str, profile: str, *overrides: str) -> Arguments:
    run = workload(profile, *overrides)
    return lambda files, _: run(Job(rules, files.source, files.output, files.rejects))


def _traced(profile: str, ratio: float) -> Arguments:
    def arguments(files: Files, count: int) -> Sequence[str]:
        exporter = {"kind": "jsonl", "settings": {"path": str(files.spans)}}
        value = json.dumps({"sampling_ratio": ratio, "exporters": [exporter]})
        override = f"runtime.observability.tracing={value}"
        return _fund_load("exp_mp", profile, override)(files, count)

    return arguments


def _chain(number: int, payload_bytes: int) -> Arguments:
    def arguments(files: Files, count: int) -> Sequence[str]:
        config = chain_config(number, count, payload_bytes, str(files.output))
        files.config.write_text(json.dumps(config), "utf-8")
        return ["-m", "sk_supervisor", "run", str(files.config)]

    return arguments
