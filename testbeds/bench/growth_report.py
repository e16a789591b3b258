"""The report on cost as work grows, as one document for machines."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench_figures import Figure
from bench_memory import SUPERVISOR
from growth_inputs import DAYS, customers_of_days
from growth_results import GrowthResults, bytes_each, further_cost, peak_of
from growth_rows import Row

SCHEMA = 1
_MEMORY = {
    "supervisor": (SUPERVISOR,),
    "stateless": ("ingress", "egress"),
    "features": ("features",),
    "policy": ("policy",),
}
"""Which processes the peaks are told of, by words in their ids; of several the largest."""


@dataclass(frozen=True)
class GrowthReport:
    """All that was found."""

    environment: Mapping[str, Any]
    rounds: int
    rows: Sequence[Row]
    results: GrowthResults

    @property
    def ok(self) -> bool:
        """Whether all that did the same wrote the same bytes."""
        return not self.results.differing

    def document(self) -> dict[str, Any]:
        """Give what becomes ``growth.json``."""
        names = dict.fromkeys(row.table for row in self.rows)
        return {
            "schema": SCHEMA,
            "ok": self.ok,
            "differing": self.results.differing,
            "environment": dict(self.environment),
            "rounds": self.rounds,
            "tables": {name: list(self._table(name)) for name in names},
        }

    def _table(self, name: str) -> Iterator[dict[str, Any]]:
        rows = [row for row in self.rows if row.table == name]
        if name == "state":
            yield from _state(rows, self.results)
            return
        for row in rows:
            shown = row.sizes[1:] if name == "records" else row.sizes[-1:]
            for size in shown:
                yield _measured(row, size, self.results)


def to_json(document: Mapping[str, Any]) -> str:
    """Give the text of ``growth.json``."""
    return json.dumps(document, indent=2) + "\n"


def _measured(row: Row, size: int, results: GrowthResults) -> dict[str, Any]:
    small = row.sizes[row.sizes.index(size) - 1]
    wall = further_cost(results.walls(row, size), results.walls(row, small), size - small)
    cpu = further_cost(results.cpus(row, size), results.cpus(row, small), size - small)
    rate = wall.inverted() if wall else None
    processes, spans = results.peaks[row.key, size], results.spans(row, size)
    return {
        **row.cells,
        "records": size,
        "beyond": small,
        "rounds": len(results.walls(row, size)),
        "whole_seconds": statistics.median(results.walls(row, size)),
        "start_seconds": statistics.median(results.walls(row, row.sizes[0])),
        "wall_us": _figure(wall, 1e6),
        "cpu_us": _figure(cpu, 1e6),
        "records_per_second": _figure(rate),
        "mb_per_second": _figure(rate, row.payload_bytes / 1e6) if row.payload_bytes else None,
        "spans": spans._asdict() if spans else None,
        "peak_rss_mib": {
            "all": sum(processes.values()),
            **{name: peak_of(processes, *words) for name, words in _MEMORY.items()},
        },
        "processes": dict(processes),
    }


def _state(rows: Sequence[Row], results: GrowthResults) -> Iterator[dict[str, Any]]:
    grown: dict[str, float | None] = {}
    for row in rows:
        few, many = row.sizes
        held_by = "features" if row.made_of == "id" else "policy"
        before, after = (results.peaks[row.key, size] for size in (few, many))
        grown[row.made_of] = each = bytes_each(before, after, held_by, many - few)
        if row.made_of == "day":
            each = further_day(each, grown["customer"], many)
        entry = {"each": row.made_of, "held_by": held_by, "counted": many, "bytes": each}
        yield {**row.cells, **entry}


def further_day(each: float | None, customer: float | None, records: int) -> float | None:
    """Give the bytes of a customer's further day, of the bytes of each of all days.

    The first of them is the customer's own, of so many bytes.
    """
    if each is None or customer is None:
        return None
    customers = customers_of_days(records)
    return (each * records - customer * customers) / (customers * (DAYS - 1))


def _figure(found: Figure | None, factor: float = 1.0) -> dict[str, Any] | None:
    return asdict(found.scaled(factor)) if found else None
