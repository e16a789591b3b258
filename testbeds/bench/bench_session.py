"""A session: the inputs, one uncounted run of everything, then the rounds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import MappingProxyType

from bench_environments import AbsentError, interpreter
from bench_memory import Sampler
from bench_process import Ended, Others, run, surroundings
from bench_results import Measured, Results
from bench_systems import SLOW_ROUNDS, SOURCES, Job, System

MARKS = ("FUND_LOAD_MARKS", "PEERS_STATS")
"""The variables by which a peer, and a program of the specification, learn where to tell times."""
Generator = Callable[[int, int, Path], Sequence[str]]
"""Gives the arguments of the program that writes so many records, by a seed, to a file."""

_RATE = re.compile(r"records in ([\d,]+), .*, ([\d,]+)/s$", re.MULTILINE)


class RunFailedError(Exception):
    """One of our own runs, or the yardstick, did not do its work."""

    def __init__(self, system: str, records: int, why: str) -> None:
        super().__init__(f"{system} with {records:,} records: {why}")
        self.system, self.records, self.why = system, records, why


class InputFailedError(RunFailedError):
    """An input could not be generated."""

    def __init__(self, records: int, why: str) -> None:
        super().__init__("generator", records, why)


def generated(records: int, seed: int, path: Path) -> Sequence[str]:
    """Give the arguments of our own generator."""
    options = ["--records", str(records), "--seed", str(seed), "--output", str(path)]
    return ["-m", "sk_fundload", "generate", *options]


@dataclass(frozen=True)
class Plan:
    """What a session runs: systems, sizes (ascending), rounds, and the seed of the inputs.

    After ``budget_seconds`` no further round is begun, once there are ``least_rounds``.
    """

    systems: Sequence[System]
    records: Sequence[int]
    rounds: int
    seed: int
    timeout_seconds: float
    budget_seconds: float | None = None
    least_rounds: int = 3
    generator: Generator = generated


class Session:
    """Runs a plan in a folder that is the caller's to remove."""

    def __init__(
        self, plan: Plan, folder: Path, environments: Path | None, say: Callable[[str], None]
    ) -> None:
        self._plan, self._folder, self._say = plan, folder, say
        self._environments = environments
        self._inputs: dict[int, Path] = {}
        self.results = Results(plan.records)
        self.input_sha256: dict[int, str] = {}

    def run(self) -> Results:
        """Run everything.

        :raises InputFailedError: when the generator fails.
        :raises RunFailedError: when the yardstick or one of ours fails.
        """
        began = monotonic()
        sizes = (system.sizes(self._plan.records) for system in self._plan.systems)
        for records in sorted({n for of_one in sizes for n in of_one}):
            self._generate(records)
        self._round(None, self._plan.systems)
        for number in range(self._plan.rounds if self._plan.systems else 0):
            spent = monotonic() - began
            budget = self._plan.budget_seconds
            if budget is not None and number >= self._plan.least_rounds and spent > budget:
                self._say(f"{number} rounds: {spent:.0f} s are spent")
                break
            # Each begins with another system: none always runs behind the same one.
            shift = number % len(self._plan.systems)
            order = [*self._plan.systems[shift:], *self._plan.systems[:shift]]
            others = Others()
            self._round(number, order)
            self.results.others.append(others.cores(self.results.cpu_of_round(number)))
        return self.results

    def _round(self, number: int | None, systems: Iterable[System]) -> None:
        for system in systems:
            if system.slow and number is not None and number >= SLOW_ROUNDS:
                continue
            for records in system.sizes(self._plan.records):
                if system.name in self.results.absent:
                    break
                try:
                    self._run_once(system, records, number)
                except AbsentError as reason:
                    self.results.drop(system.name, str(reason))
                    self._say(f"{system.name}: absent: {reason}")

    def _run_once(self, system: System, records: int, number: int | None) -> None:
        python = interpreter(self._environments, system.environment)
        files = (self._folder / name for name in ("output", "rejects"))
        job = Job(system.rules, self._inputs[records], *files)
        marks = self._folder / "marks"
        for path in (job.output, job.rejects, marks):
            path.unlink(missing_ok=True)
        command = [python, *system.arguments(job)]
        ended = self._call(command, marks, sampled=number is None, variables=system.variables)
        self._refuse(system, records, ended)
        name = "warm-up" if number is None else f"round {number + 1}"
        self._say(f"{name}: {system.name}, {records:,}: {ended.wall_seconds:.2f} s")
        if ended.peak is not None:
            unwaited = max(0.0, ended.peak.cpu_seconds - ended.cpu_seconds)
            self.results.peaks[system.name, records] = ended.peak
            self.results.unwaited[system.name, records] = unwaited
            return
        inside, reasons = _own_account(ended, marks, records)
        measured = Measured(
            ended.wall_seconds,
            ended.cpu_seconds,
            inside,
            sha256_of(job.output) if system.writes else None,
            sha256_of(job.rejects) if system.writes else None,
            reasons,
        )
        self.results.runs.setdefault((system.name, records), []).append(measured)

    def _refuse(self, system: System, records: int, ended: Ended) -> None:
        if ended.exit_code == 0:
            return
        why = ended.why(self._plan.timeout_seconds)
        if system.environment is not None or system.foreign:
            raise AbsentError(why)
        raise RunFailedError(system.name, records, why)

    def _call(
        self,
        command: Sequence[str],
        marks: Path,
        *,
        sampled: bool,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> Ended:
        told_to = dict.fromkeys(MARKS, str(marks))
        return run(
            command,
            log=self._folder / "log",
            environment={**surroundings(self._folder, SOURCES), **told_to, **variables},
            timeout_seconds=self._plan.timeout_seconds,
            sampler=Sampler() if sampled else None,
        )

    def _generate(self, records: int) -> None:
        path = self._folder / f"input-{records}.jsonl"
        arguments = self._plan.generator(records, self._plan.seed, path)
        command = [interpreter(None, None), *arguments]
        ended = self._call(command, self._folder / "marks", sampled=False)
        if ended.exit_code != 0:
            raise InputFailedError(records, ended.why(self._plan.timeout_seconds))
        self._inputs[records], self.input_sha256[records] = path, sha256_of(path) or ""


def _own_account(
    ended: Ended, marks: Path, records: int
) -> tuple[float | None, dict[str, int] | None]:
    """Give seconds and reasons as a system itself tells them: a peer by marks, ours by a rate."""
    if marks.exists():
        lines = [json.loads(line) for line in marks.read_text().splitlines()]
        if "steady_s" in lines[-1]:
            return lines[-1]["steady_s"], None
        told = {mark["mark"]: mark for mark in lines}
        seconds = told["last_byte"]["at"] - told["first_record"]["at"]
        return seconds, told["last_byte"]["reasons"]
    return inside_seconds(ended.stderr, records), None


def inside_seconds(said: str, records: int) -> float | None:
    """Give the seconds from the first record to the last byte, as a run of ours tells its rate."""
    found = _RATE.search(said)
    rate = int(found[2].replace(",", "")) if found else 0
    return records / rate if rate else None


def sha256_of(path: Path) -> str | None:
    """Give the SHA-256 of a file, as hexadecimal text; None where there is no file."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
