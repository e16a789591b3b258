"""Span accounting: whether all spans of a run, over its processes, were exported or dropped. Pure.

Every exporter receives every span of its process, so there is one sum for each exporter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sk_kernel import ExporterAccount, SpanAccount
from sk_observability import UNACCOUNTED, ExporterCounts


class Gap(NamedTuple):
    """Spans of one process that one exporter neither exported nor dropped for a known reason.

    ``missing`` is negative if the exporter counted more spans than were created.
    """

    worker: str
    exporter: str
    created: int
    exported: int
    dropped: int

    @property
    def missing(self) -> int:
        """The number of these spans."""
        return self.created - self.exported - self.dropped


class Remainder(NamedTuple):
    """The account of a process that ended without a final report, killed or cut short.

    Spans after the ``created`` ones are unknown. For several ``processes`` in one place it is the
    sum, and ``worker`` is the last of them.
    """

    worker: str
    created: int
    processes: int = 1


class ExporterSum(NamedTuple):
    """The counts of one configured exporter over all processes. ``dropped`` is by reason."""

    name: str
    created: int
    exported: int
    dropped: Mapping[str, int]
    unclosed: Mapping[str, str]
    """The processes in which it failed to close, each with the reason."""
    unknown: int = 0
    """Spans that it still held at the last report of processes that ended without a final one."""


class Conservation(NamedTuple):
    """The sums over the processes of a run. ``created`` counts the spans that were reported."""

    processes: int
    created: int
    exporters: tuple[ExporterSum, ...]
    remainders: tuple[Remainder, ...]
    gaps: tuple[Gap, ...]

    @property
    def holds(self) -> bool:
        """Whether every reported span is accounted for."""
        return not self.gaps


def conservation_of(accounts: Iterable[SpanAccount]) -> Conservation:
    """Sum up the accounts of the processes of a run."""
    every = [account for account in accounts if account.exporters]
    longest = max((account.exporters for account in every), key=len, default=())
    names = names_of(longest)
    return Conservation(
        processes=sum(account.processes for account in every),
        created=sum(account.created for account in every),
        exporters=tuple(_summed(every, place, name) for place, name in enumerate(names)),
        remainders=tuple(Remainder(a.worker, a.created, a.processes) for a in every if not a.final),
        gaps=tuple(gap for account in every if account.final for gap in _gaps(account, names)),
    )


def names_of(exporters: Iterable[ExporterAccount | ExporterCounts]) -> list[str]:
    """A name for each configured exporter: its kind, with a number if several have that kind."""
    kinds = [one.kind for one in exporters]
    return [
        kind if kinds.count(kind) == 1 else f"{kind} {kinds[:place].count(kind) + 1}"
        for place, kind in enumerate(kinds)
    ]


def _summed(accounts: Iterable[SpanAccount], place: int, name: str) -> ExporterSum:
    created = exported = unknown = 0
    dropped: Counter[str] = Counter()
    unclosed = {}
    for account in accounts:
        if place < len(account.exporters):
            one = account.exporters[place]
            created += account.created
            exported += one.exported
            dropped.update(one.dropped)
            if not account.final:
                unknown += account.created - one.exported - sum(one.dropped.values())
            if one.close_failure:
                unclosed[account.worker] = one.close_failure
    return ExporterSum(name, created, exported, dict(dropped), unclosed, unknown)


def _gaps(account: SpanAccount, names: list[str]) -> Iterator[Gap]:
    for name, one in zip(names, account.exporters, strict=False):
        lost = sum(n for reason, n in one.dropped.items() if reason != UNACCOUNTED)
        gap = Gap(account.worker, name, account.created, one.exported, lost)
        if gap.missing:
            yield gap
