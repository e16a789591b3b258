"""Runs of four processes alone, on inputs of our generator, in a folder of the caller's."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bench_memory import Sampler
from bench_process import Ended, run, surroundings
from bench_session import InputFailedError, RunFailedError, generated, sha256_of
from bench_systems import SOURCES, Job, workload

NOTHING: Mapping[str, str] = MappingProxyType({})


class Four:
    """Makes an input for each size that is run, and keeps it."""

    def __init__(self, folder: Path, seed: int, timeout_seconds: float) -> None:
        self._folder, self._seed, self._timeout = folder, seed, timeout_seconds
        self._job = Job("exp_mp", folder, folder / "output", folder / "rejects")

    def run(
        self,
        name: str,
        records: int,
        overrides: Sequence[str] = (),
        variables: Mapping[str, str] = NOTHING,
        sampler: Sampler | None = None,
        options: Sequence[str] = (),
    ) -> Ended:
        """Run once, with these in the configuration, the environment and the command line.

        :raises InputFailedError: when the generator fails.
        :raises RunFailedError: when the run does; it bears the name.
        """
        job = self._job._replace(source=self.input(records))
        for path in (job.output, job.rejects):
            path.unlink(missing_ok=True)
        arguments = [*workload("multiprocess", *overrides)(job), *options]
        ended = self._call(arguments, variables, sampler)
        if ended.exit_code != 0:
            raise RunFailedError(name, records, ended.why(self._timeout))
        return ended

    def wrote(self) -> tuple[str | None, str | None]:
        """Give the SHA-256 of output and rejects of the last run."""
        return sha256_of(self._job.output), sha256_of(self._job.rejects)

    def input(self, records: int) -> Path:
        """Give the input of so many records, made if there is none.

        :raises InputFailedError: when the generator fails.
        """
        path = self._folder / f"input-{records}.jsonl"
        if not path.exists():
            ended = self._call(generated(records, self._seed, path))
            if ended.exit_code != 0:
                raise InputFailedError(records, ended.why(self._timeout))
        return path

    def _call(
        self,
        arguments: Sequence[str],
        variables: Mapping[str, str] = NOTHING,
        sampler: Sampler | None = None,
    ) -> Ended:
        return run(
            [sys.executable, *arguments],
            log=self._folder / "log",
            environment={**surroundings(self._folder, SOURCES), **variables},
            timeout_seconds=self._timeout,
            sampler=sampler,
        )
