"""Are all spans accounted for? What was created went out or was dropped, over all processes. Pure.

Every exporter is given every span of its process, so that the sum is one for each exporter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sk_kernel import ExporterAccount, SpanAccount
from sk_observability import UNACCOUNTED, ExporterCounts


class Gap(NamedTuple):
    """Spans of one process that one exporter neither passed on nor dropped for a reason it has.

    ``missing`` is negative where it accounts for more than there were.
    """

    worker: str
    exporter: str
    created: int
    exported: int
    dropped: int

    @property
    def missing(self) -> int:
        """How many."""
        return self.created - self.exported - self.dropped


class Remainder(NamedTuple):
    """The account of a process that ended without a last one, being killed or cut short.

    What came after ``created`` spans is unknown. Of several ``processes`` in one place it is the
    sum, and ``worker`` the last.
    """

    worker: str
    created: int
    processes: int = 1


class ExporterSum(NamedTuple):
    """One exporter of the configuration, in all processes. ``dropped`` is by reason."""

    name: str
    created: int
    exported: int
    dropped: Mapping[str, int]
    unclosed: Mapping[str, str]
    """The processes in which it did not close, each with the reason."""
    unknown: int = 0
    """What it held by the last report of a process that ended without a last account."""


class Conservation(NamedTuple):
    """The sums of a run that has ended. ``created`` counts the spans that are known of."""

    processes: int
    created: int
    exporters: tuple[ExporterSum, ...]
    remainders: tuple[Remainder, ...]
    gaps: tuple[Gap, ...]

    @property
    def holds(self) -> bool:
        """Whether every span that is known of is accounted for."""
        return not self.gaps


def conservation_of(accounts: Iterable[SpanAccount]) -> Conservation:
    """Sum up the accounts of the processes of a run, behind its end."""
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
    """A name for each place in the configuration: its kind, numbered where that comes again."""
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
