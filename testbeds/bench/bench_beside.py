"""The questions behind the rows about what is measured beside whole jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench_figures import Figure, figure
from bench_results import Results
from bench_targets import Question
from bench_variant_results import Variants, percent_less, percent_more

NOT_RUN = "not run: four processes were not asked for, or these left out"


def requests(name: str) -> Question:
    """Ask for a figure of requests and their replies."""

    def ask(results: Results) -> tuple[Figure | None, str]:
        if not results.asked:
            return None, "no requests were made"
        of = results.asked[0]
        rounds = f", rounds: {len(results.asked)}" if len(results.asked) > 1 else ""
        on = f"{of.requests:,} requests through {of.workers} processes{rounds}"
        return figure([getattr(asked, name) for asked in results.asked]), on

    return ask


def cost(variant: str) -> Question:
    """Ask by how many per cent a variant takes longer than four processes as they are."""
    return _by_plain(variant, percent_more)


def share(variant: str) -> Question:
    """Ask by how many per cent a variant takes less: the share of what it is without."""
    return _by_plain(variant, percent_less)


def _by_plain(variant: str, percent: Callable[[Sequence[float]], Figure | None]) -> Question:
    def ask(results: Results) -> tuple[Figure | None, str]:
        variants = results.variants
        if variants is None or not variants.by_plain(variant):
            return None, NOT_RUN
        processor = percent(variants.processor_by_plain(variant))
        also = f" (processor time: {processor.value:.2f} %)" if processor else ""
        return percent(variants.by_plain(variant)), f"{variants.records:,} records, inside{also}"

    return ask


def cost_by_account(variant: str) -> Question:
    """Ask by how many per cent a variant tells more, by what runs say of their own time."""
    return _by_account(lambda variants: variants.watching_percent(variant))


def signing_by_account(results: Results) -> tuple[Figure | None, str]:
    """Ask for the share that signing and verifying have, by the same."""
    return _by_account(Variants.signing_percent)(results)


def _by_account(percent: Callable[[Variants], Sequence[float]]) -> Question:
    def ask(results: Results) -> tuple[Figure | None, str]:
        variants = results.variants
        if variants is None or not variants.accounts:
            return None, NOT_RUN
        on = f"{variants.records:,} records, processor time as the runs tell it"
        found = figure(percent(variants))
        return found, on if found else "this system does not tell the time of a thread"

    return ask


def sending(protocol: str) -> Question:
    """Ask how many seconds the spans of every record to a receiver add to a run."""

    def ask(results: Results) -> tuple[Figure | None, str]:
        sent = results.sent
        if sent is None:
            return None, NOT_RUN
        return sent.added(
            protocol
        ), f"whole process, {sent.records:,} records, {sent.spans:,} spans"

    return ask


def lost(results: Results) -> tuple[Figure | None, str]:
    """Ask how many spans a receiver was not given."""
    sent = results.sent
    if sent is None:
        return None, NOT_RUN
    rounds = max(map(len, sent.added_seconds.values()))
    on = f"{' and '.join(sent.lost)}, rounds: {rounds}, spans of a run: {sent.spans:,}"
    return Figure(sum(sent.lost.values()), None, None, rounds), on
