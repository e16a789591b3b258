"""Where a test runs the workload: a folder of its own, and a look at what is left behind."""

from __future__ import annotations

import io
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import yaml
from e2e_run import PATIENCE_SECONDS, Ended, LiveRun, alive_after
from fundload_reference import RULE_SETS, adjudicate

GROUPS = ("execution.ingress", "execution.features", "execution.policy", "execution.egress")
MEASURED = Path(__file__).with_name("e2e_measured.py")
_MARK = "FUNDLOAD_E2E"

each_profile = pytest.mark.parametrize("profile", ["memory", "multiprocess"])
each_rule_set = pytest.mark.parametrize("rules", ["baseline", "exp_mp"])


class Expected(NamedTuple):
    """What the reference makes of an input."""

    output: bytes
    rejects: bytes


def reference(data: bytes, rules: str = "exp_mp", decisions: int | None = None) -> Expected:
    """Adjudicate `data` by the reference implementation, up to so many decisions if given."""
    outcomes = list(islice(adjudicate(io.BytesIO(data), RULE_SETS[rules]), decisions))
    return Expected(
        b"".join(outcome.output for outcome in outcomes),
        b"".join(outcome.reject for outcome in outcomes if outcome.reject is not None),
    )


class Measured(NamedTuple):
    """The peak memory of a run: of its first process, and of the largest one that it started.

    The second is 0 when it has started none.
    """

    own_mib: float
    largest_child_mib: float


def patient(document: dict[str, Any]) -> None:
    """Give a stop ten minutes: whoever waits for it is not over in the time of a test."""
    for group in document["runtime"]["platform"].get("process_groups", ()):
        group["stop_timeout_seconds"] = 600


class Bench:
    """Runs in one folder, in which file names are relative."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left_on_purpose: set[Path] = set()
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        self._mark = secrets.token_hex(8)
        self._runs: list[LiveRun] = []
        self._ended: list[Ended] = []
        self._kept: list[int] = []

    def write(self, name: str, data: bytes) -> Path:
        """Make a file."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def read(self, name: str) -> bytes:
        """Give a file's content."""
        return (self.folder / name).read_bytes()

    def derived_config(self, name: str, change: Callable[[dict[str, Any]], None]) -> str:
        """Write a built-in configuration, `exp_mp_multiprocess` say, changed; give its name."""
        built_in = resources.files("sk_fundload").joinpath(f"configs/{name}.yaml")
        document: dict[str, Any] = yaml.safe_load(built_in.read_text("utf-8"))
        change(document)
        self.write("derived.yaml", yaml.safe_dump(document).encode())
        return "derived.yaml"

    def start(self, *arguments: str, before: tuple[str, ...] = ()) -> LiveRun:
        """Start `python -m sk_fundload` with these arguments, behind the words `before`."""
        return self._start([*before, sys.executable, "-m", "sk_fundload", *arguments])

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> Ended:
        """Run it to its end, with nothing on its standard input."""
        return self.finish(self.start(*arguments, before=before))

    def measure(
        self, *arguments: str, before: tuple[str, ...] = (), seconds: float = PATIENCE_SECONDS
    ) -> tuple[Ended, Measured]:
        """Run it to its end, and tell how much memory it took."""
        facts = self.folder / "measured.json"
        command = [*before, sys.executable, str(MEASURED), str(facts), *arguments]
        ended = self.finish(self._start(command), seconds)
        return ended, Measured(**json.loads(facts.read_bytes()))

    def finish(self, run: LiveRun, seconds: float = PATIENCE_SECONDS) -> Ended:
        """End a run's input, and wait for its end."""
        run.close_input()
        return self.outwait(run, seconds)

    def outwait(self, run: LiveRun, seconds: float = PATIENCE_SECONDS) -> Ended:
        """Wait for a run's end, its input open."""
        ended = run.end(seconds)
        self._ended.append(ended)
        return ended

    def keep(self, descriptor: int) -> None:
        """Have a descriptor closed when the test is over."""
        self._kept.append(descriptor)

    def close(self) -> None:
        """Hold that no process, no temporary file and no unnamed partial file is left.

        Where a test broke off, end what it left instead.
        """
        for descriptor in self._kept:
            os.close(descriptor)
        unfinished = [run for run in self._runs if not run.over]
        for run in unfinished:
            run.kill()
        left = alive_after(PATIENCE_SECONDS, self._descendants())
        for process in left:
            process.kill()
        if unfinished:
            return
        assert left == []
        assert list(self._temporary.iterdir()) == []
        named = {path for ended in self._ended for path in ended.partials}
        assert set(self.folder.glob("*.partial")) == named | self.left_on_purpose

    def _start(self, command: list[str]) -> LiveRun:
        env = {**os.environ, "TMPDIR": str(self._temporary), _MARK: self._mark}
        self._runs.append(LiveRun(command, cwd=self.folder, env=env))
        return self._runs[-1]

    def _descendants(self) -> Iterator[psutil.Process]:
        """Whoever has inherited this bench's environment, by whatever parents."""
        for process in psutil.process_iter():
            try:
                if process.environ().get(_MARK) == self._mark:
                    yield process
            except psutil.Error:
                continue  # somebody else's, or gone


def run_options(rules: str, profile: str, **places: str) -> list[str]:
    """The words of a `run` of a built-in configuration, with its `input`, `output`, `rejects`."""
    options = ["run", "--rules", rules, "--profile", profile]
    return options + [word for name, place in places.items() for word in (f"--{name}", place)]
