"""Run the programs that are compared, each in a process of its own, as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROFILES = ("memory", "multiprocess")
REFERENCE = Path(__file__).with_name("reference") / "reference.py"
_STDERR_TAIL = 2000


class RunFailedError(Exception):
    """A program that was to be compared did not do its work.

    `exit_code` is None when it was killed for taking more than its time; `stderr` is the tail of
    what it said, for the terminal only: it may name paths of this machine.
    """

    def __init__(self, label: str, exit_code: int | None, stderr: str) -> None:
        how = "took too long" if exit_code is None else f"ended with exit code {exit_code}"
        super().__init__(f"{label} {how}; its last words: {stderr or '(none)'}")
        self.label = label
        self.exit_code = exit_code
        self.stderr = stderr


@dataclass(frozen=True)
class Produced:
    """What one run wrote."""

    output: bytes
    rejects: bytes


class Runs:
    """Runs the workload and the reference on files, in a folder that is the caller's to remove."""

    def __init__(self, folder: Path, timeout_seconds: float) -> None:
        """Every program gets `timeout_seconds` and works in `folder`."""
        self._folder = folder
        self._timeout_seconds = timeout_seconds

    def generate(self, records: int, seed: int, *, dirty: bool = True) -> Path:
        """Have the workload's generator write an input file, with unreadable lines if `dirty`."""
        target = self._folder / f"generated-{records}-{seed}{'' if dirty else '-clean'}.jsonl"
        options = ["--records", str(records), "--seed", str(seed), *["--dirty"] * dirty]
        self._call(
            "generator", ["-m", "sk_fundload", "generate", *options, "--output", str(target)]
        )
        return target

    def workload(
        self, rules: str, profile: str, source: Path, further: Sequence[str] = ()
    ) -> Produced:
        """Run `sk_fundload` under one profile, with `further` options."""
        output, rejects = self._targets(profile)
        options = ["--rules", rules, "--profile", profile, "--quiet", *further]
        files = ["--input", str(source), "--output", str(output), "--rejects", str(rejects)]
        self._call(profile, ["-m", "sk_fundload", "run", *options, *files])
        return self._produced(profile, output, rejects)

    def reference(self, rules: str, source: Path) -> tuple[Produced, dict[str, int]]:
        """Run the reference; give what it wrote and its counts of accepted and of each reason."""
        output, rejects = self._targets("reference")
        reasons = self._folder / "reasons.json"
        files = ["--input", str(source), "--output", str(output), "--rejects", str(rejects)]
        options = ["--rules", rules, "--reasons", str(reasons)]
        self._call("reference", [str(REFERENCE), *options, *files])
        counts: dict[str, int] = json.loads(reasons.read_bytes())
        return self._produced("reference", output, rejects), counts

    def _targets(self, label: str) -> tuple[Path, Path]:
        """Name the files of a run, none of which is there: no run may live on another's output."""
        targets = (self._folder / f"{label}-output", self._folder / f"{label}-rejects")
        for target in targets:
            target.unlink(missing_ok=True)
        return targets

    def _produced(self, label: str, output: Path, rejects: Path) -> Produced:
        try:
            return Produced(output.read_bytes(), rejects.read_bytes())
        except FileNotFoundError as fault:
            missing = f"it wrote no {Path(fault.filename).name}"
            raise RunFailedError(label, 0, missing) from fault

    def _call(self, label: str, arguments: Sequence[str]) -> None:
        # Standard error goes to a file: a pipe would stay open in workers that outlive a kill.
        log = self._folder / f"{label}-stderr"
        with log.open("wb") as stderr:
            try:
                code = subprocess.run(
                    [sys.executable, *arguments],
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    timeout=self._timeout_seconds,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired as fault:
                raise RunFailedError(label, None, _tail(log)) from fault
        if code != 0:
            raise RunFailedError(label, code, _tail(log))


def _tail(log: Path) -> str:
    return log.read_bytes()[-_STDERR_TAIL:].decode("utf-8", "replace").strip()
