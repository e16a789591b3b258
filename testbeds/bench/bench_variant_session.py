"""Running the variants: an uncounted run of each, runs of start and end alone, then the rounds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench_accounts import account_of
from bench_four import NOTHING, Four
from bench_process import Ended, Others
from bench_scraper import Scraper, free_port
from bench_session import RunFailedError, inside_seconds
from bench_systems import START_UP_RECORDS
from bench_variant_results import VariantRun, Variants, compared
from bench_variants import PLAIN, VARIANTS, Place, Variant, round_of

_STARTS: Final = 3
_PROFILED: Final = ("--profile-run",)


class VariantSession:
    """Runs them in a folder that is the caller's to remove."""

    def __init__(self, four: Four, folder: Path, records: int, say: Callable[[str], None]) -> None:
        self._four, self._left, self._say = four, folder / "left", say
        self.results = Variants(records)

    def run(self, rounds: int) -> Variants:
        """Run everything.

        :raises RunFailedError: when a run fails, or does not do what its variant is to do.
        """
        few = min(START_UP_RECORDS, self.results.records)
        self._four.input(self.results.records)  # made before the rounds, not in one
        for variant in (None, *VARIANTS):
            self._once("warm-up", variant, few)
        if few < self.results.records:
            for number in range(_STARTS):
                for variant in (None, *VARIANTS):
                    start = self._once(f"start {number + 1}", variant, few)
                    self.results.starts.setdefault(_name(variant), []).append(start.cpu_seconds)
        order: list[Variant | None] = [None]
        runs = [self._whole("before the rounds", None)]
        for number in range(rounds):
            others, of_round = Others(), round_of(number)
            made = [self._whole(f"round {number + 1}", variant) for variant in of_round]
            self.results.others.append(others.cores(sum(run.cpu_seconds for run in made)))
            order, runs = order + of_round, runs + made
            for variant in (None, *(each for each in VARIANTS if each.accounted)):
                self._account(f"round {number + 1}", variant)
        for name, between in compared(order, runs):
            self.results.runs.setdefault(name, []).append(between)
        return self.results

    def _account(self, what: str, variant: Variant | None) -> None:
        ended = self._once(f"{what}, its account", variant, self.results.records, _PROFILED)
        self.results.wrote.setdefault(_name(variant), set()).add(self._four.wrote())
        account = account_of(ended.stderr)
        if account is None:
            raise RunFailedError(_name(variant), self.results.records, "it gave no account")
        self.results.accounts.setdefault(_name(variant), []).append(account)

    def _whole(self, what: str, variant: Variant | None) -> VariantRun:
        ended = self._once(what, variant, self.results.records)
        self.results.wrote.setdefault(_name(variant), set()).add(self._four.wrote())
        inside = inside_seconds(ended.stderr, self.results.records)
        if inside is None:
            raise RunFailedError(_name(variant), self.results.records, "it told no rate")
        return VariantRun(inside, ended.cpu_seconds, ended.wall_seconds)

    def _once(
        self, what: str, variant: Variant | None, records: int, options: Sequence[str] = ()
    ) -> Ended:
        name, place = _name(variant), Place(self._left, free_port())
        place.left.unlink(missing_ok=True)
        overrides = variant.overrides(place) if variant else []
        variables = variant.variables if variant else NOTHING
        scraper = Scraper(place.port) if variant and variant.scraped else None
        with scraper or contextlib.nullcontext():
            ended = self._four.run(name, records, overrides, variables, options=options)
        if scraper and not scraper.pages:
            raise RunFailedError(name, records, "it answered no question for its metrics")
        if variant and variant.leaves and not (place.left.exists() and place.left.stat().st_size):
            raise RunFailedError(name, records, "it left nothing of what it is to write")
        self._say(f"variants, {what}: {name}, {records:,}: {ended.wall_seconds:.2f} s")
        return ended


def _name(variant: Variant | None) -> str:
    return variant.name if variant else PLAIN
