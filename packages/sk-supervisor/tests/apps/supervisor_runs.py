"""Runs of ``sk`` in a run directory of their own, and the commands that look at them there."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from supervisor_harness import ONE_GROUP, Command, Ears, settings

MODES = pytest.mark.parametrize("mode", ["process_supervisor", "inline"])


class Started:
    """A run whose source waits, or whose worker is held."""

    def __init__(self, command: Command, folder: Path, target: Path) -> None:
        self.command, self.folder, self.target = command, folder, target

    def files(self) -> list[str]:
        """What is in its run directory."""
        return sorted(path.name for path in self.folder.iterdir())


class Runs:
    """What is run in ``folder``, and asked there."""

    def __init__(
        self,
        folder: Path,
        target: Path,
        ears: Ears,
        sk: Callable[..., Command],
        ask: Callable[..., tuple[int, str, str]],
    ) -> None:
        self.folder = folder
        self._target, self._ears, self._sk = target, ears, sk
        #: Runs a command to its end, on that run directory.
        self.ask = partial(ask, SK_RUN_DIR=str(folder))

    def start(
        self, mode: str = "process_supervisor", run_id: str = "r1", **changes: Any
    ) -> Started:
        """Start a run whose source waits; with one worker process, if no other groups are given."""
        groups = changes.pop("groups", ONE_GROUP)
        groups = groups if mode == "process_supervisor" else ()
        source = {"count": 20, "then": "wait", "ears": self._ears.port}
        configuration = settings(
            self._target, **{"mode": mode, "groups": groups, "source": source, **changes}
        )
        environment = {"SK_RUN_DIR": str(self.folder)}
        command = self._sk("run", configuration, "--run-id", run_id, environment=environment)
        return Started(command, self.folder, self._target)

    def waiting(self, *arguments: Any, **changes: Any) -> Started:
        """Start one, and give it once its source waits."""
        run = self.start(*arguments, **changes)
        self._ears.hear("open")
        self._ears.hear("waiting")
        return run


def exporting(path: Path, **lifecycle: Any) -> dict[str, Any]:
    """The block of a configuration that has events exported to a file."""
    exporters = [{"kind": "jsonl", "settings": {"path": str(path)}}]
    return {"logging": {"exporters": exporters, "lifecycle_events": lifecycle}}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """What was exported."""
    return [json.loads(line) for line in path.read_text().splitlines()]
