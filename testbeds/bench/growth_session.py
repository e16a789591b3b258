"""Running the rows: a look at memory that is not timed, rounds, then the largest sizes once."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bench_memory import Sampler
from bench_process import Ended, run, surroundings
from bench_session import InputFailedError, RunFailedError, generated, sha256_of
from bench_systems import SOURCES
from growth_inputs import lines
from growth_results import GrowthResults, GrowthRun, Spans
from growth_rows import CHAIN, FUND_LOAD, Files, Row

ONCE_ABOVE = 1_000_000
"""Runs of more records are made once: timed, and looked at, though seldom."""
_SELDOM_SECONDS = 1.0
_SPANS = re.compile(r"^ *spans: ([\d,]+) created, ([\d,]+) exported", re.MULTILINE)


@dataclass(frozen=True)
class GrowthPlan:
    """What is run: rows, rounds, and the seed of the inputs."""

    rows: Sequence[Row]
    rounds: int
    seed: int
    timeout_seconds: float


class GrowthSession:
    """Runs a plan in a folder that is the caller's to remove."""

    def __init__(self, plan: GrowthPlan, folder: Path, say: Callable[[str], None]) -> None:
        self._plan, self._folder, self._say = plan, folder, say
        self._environment = surroundings(folder, SOURCES, Path(__file__).parent)
        self._began = monotonic()
        self.results = GrowthResults()

    def run(self) -> GrowthResults:
        """Run everything.

        :raises InputFailedError: when the generator fails.
        :raises RunFailedError: when a run fails.
        """
        plan, todo = self._plan, list(_runs(self._plan.rows))
        often = [(row, size) for row, size in todo if size <= ONCE_ABOVE]
        looked_at = [(row, size) for row, size in often if row.looked_at(size)]
        timed = [(row, size) for row, size in often if row.timed]
        once = [(row, size) for row, size in todo if size > ONCE_ABOVE]
        for made_of, size in dict.fromkeys((row.made_of, size) for row, size in todo):
            self._make_input(made_of, size)
        self._all("memory", looked_at, lambda: Sampler(pss=False), timed=False)
        for number in range(plan.rounds):
            # Each round begins elsewhere: none always runs behind the same one.
            shift = number * len(timed) // plan.rounds
            self._all(f"round {number + 1}/{plan.rounds}", timed[shift:] + timed[:shift])
        self._all("once", once, lambda: Sampler(every_seconds=_SELDOM_SECONDS, pss=False))
        return self.results

    def _all(
        self,
        name: str,
        runs: Sequence[tuple[Row, int]],
        sampler: Callable[[], Sampler] | None = None,
        *,
        timed: bool = True,
    ) -> None:
        for number, (row, size) in enumerate(runs, 1):
            ended = self._run_once(row, size, sampler() if sampler else None, timed=timed)
            spent = monotonic() - self._began
            what = f"{row.key}, {size:,}: {ended.wall_seconds:.2f} s"
            self._say(f"{spent:4.0f} s  {name}, {number}/{len(runs)}: {what}")

    def _run_once(self, row: Row, size: int, sampler: Sampler | None, *, timed: bool) -> Ended:
        files = self._files(row.made_of, size)
        for path in (files.output, files.rejects, files.spans):
            path.unlink(missing_ok=True)
        ended = self._call(row.arguments(files, size), sampler)
        if ended.exit_code != 0:
            raise RunFailedError(row.key, size, ended.why(self._plan.timeout_seconds))
        wrote = (sha256_of(files.output), sha256_of(files.rejects))
        self.results.wrote(row, size, wrote)
        if ended.peak is not None:
            self.results.peaks[row.key, size] = ended.peak.by_process
        if timed:
            made = GrowthRun(ended.wall_seconds, ended.cpu_seconds, _spans(ended.stderr))
            self.results.runs.setdefault((row.key, size), []).append(made)
        return ended

    def _call(self, arguments: Iterable[str], sampler: Sampler | None) -> Ended:
        return run(
            [sys.executable, *arguments],
            log=self._folder / "log",
            environment=self._environment,
            timeout_seconds=self._plan.timeout_seconds,
            sampler=sampler,
        )

    def _files(self, made_of: str, size: int) -> Files:
        names = ("output", "rejects", "config.json", "spans")
        return Files(
            self._folder / f"{made_of}-{size}.jsonl", *(self._folder / name for name in names)
        )

    def _make_input(self, made_of: str, size: int) -> None:
        path = self._files(made_of, size).source
        if made_of == FUND_LOAD:
            ended = self._call(generated(size, self._plan.seed, path), None)
            if ended.exit_code != 0:
                raise InputFailedError(size, ended.why(self._plan.timeout_seconds))
        elif made_of != CHAIN:
            with path.open("w", encoding="utf-8") as file:
                file.writelines(lines(made_of, size))


def _runs(rows: Iterable[Row]) -> Iterable[tuple[Row, int]]:
    return ((row, size) for row in rows for size in row.sizes)


def _spans(said: str) -> Spans | None:
    """What a run says of its spans; None where nothing is traced."""
    found = _SPANS.search(said)
    return Spans(*(int(count.replace(",", "")) for count in found.groups())) if found else None
