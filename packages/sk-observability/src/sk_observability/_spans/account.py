"""The span account of a process, made from its exporters' counts; sent over the control plane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from sk_kernel import ExporterAccount, SpanAccount

from sk_observability._exporting.outlet import ExporterCounts

OTHER: Final = "other"
"""Replaces all reasons after the first `MOST_REASONS`, and an empty text."""
MOST_REASONS: Final = 32
MOST_CHARACTERS: Final = 64


def span_account(
    worker: str, created: int, counts: Iterable[ExporterCounts], *, final: bool
) -> SpanAccount:
    """Return the account of a process that has made `created` spans.

    Reasons may come from another package: each is cut to 64 characters, and all except the 32 with
    the most losses are merged into one.
    """
    exporters = tuple(
        ExporterAccount(
            kind=_word(one.kind),
            exported=one.exported,
            dropped=_bounded(one.dropped),
            close_failure=_word(one.close_failure) if one.close_failure is not None else "",
        )
        for one in counts
    )
    return SpanAccount(worker=worker, created=created, exporters=exporters, final=final)


def _bounded(dropped: Mapping[str, int]) -> dict[str, int]:
    bounded: dict[str, int] = {}
    largest_first = sorted(dropped.items(), key=lambda item: (-item[1], item[0]))
    for place, (reason, lost) in enumerate(largest_first):
        word = _word(reason) if place < MOST_REASONS else OTHER
        bounded[word] = bounded.get(word, 0) + lost
    return bounded


def _word(text: str) -> str:
    printable = text.encode(errors="replace").decode()[:MOST_CHARACTERS]
    return "".join(c if c.isprintable() else "?" for c in printable) or OTHER
