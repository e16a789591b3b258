"""One run of an application with one beast in it, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sk_supervisor.testing._beasts import SLACK_SECONDS, Beast

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a run with a beast did: its exit code, its events, its standard error, what it left."""

    beast: Beast
    group: str
    exit_code: int
    stderr: str
    events: tuple[Event, ...]
    out_at: tuple[float, ...]
    """When the beast came out, in seconds since the epoch: once for each worker that it was in."""
    left: tuple[str, ...]
    node: str = ""
    """The node that the beast was to come out in,"""
    at: int = 1
    """and on which record that it gets in one worker."""
    slack_seconds: float = SLACK_SECONDS
    """What the machine may add to the time that is promised."""

    @property
    def failures(self) -> list[Event]:
        """The failures of workers of its group, in order."""
        return [e for e in self._of_group() if e["event"] == "worker_failed"]

    @property
    def category(self) -> str:
        """The category of the failure that ended the run; empty where no worker failed."""
        return str(self.failures[-1]["fields"].get("category", "")) if self.failures else ""

    @property
    def rung(self) -> str:
        """How far down the stop ladder its last worker had to be taken."""
        stopped = [e for e in self._of_group() if e["event"] == "worker_stopped"]
        return str(stopped[-1]["fields"].get("rung", "")) if stopped else ""

    def seconds(self) -> float:
        """From the moment that the beast was out to the failure, or without one to the end."""
        ends = self.failures or [e for e in self._of_group() if e["event"] == "worker_stopped"]
        if not ends or not self.out_at:
            return float("inf")
        return datetime.fromisoformat(ends[-1]["time"]).timestamp() - self.out_at[-1]

    def check(self, *, slack_seconds: float | None = None) -> None:
        """Hold the run to what is promised of the beast.

        :param slack_seconds: what the machine may add to the time that is promised, if not as much
            as the zoo has said. A beast that fails no worker is timed to the end of the run, so
            give it what your input takes.
        :raises AssertionError: with everything that is not as promised.
        """
        broken = self._broken(self.slack_seconds if slack_seconds is None else slack_seconds)
        if broken:
            lines = [f"the beast {self.beast.name}, which {self.beast.does}:", *broken]
            raise AssertionError("\n  ".join([*lines, "standard error:", self.stderr]))

    def _broken(self, slack: float) -> list[str]:
        beast, last = self.beast, self.failures[-1]["fields"] if self.failures else {}
        promised: list[tuple[str, object, object]] = [
            ("exit code", beast.exit_code, self.exit_code),
            ("category", beast.category, self.category),
        ]
        if beast.vitals:
            promised.append(("vitals", beast.vitals, last.get("vitals")))
        if beast.ended:
            promised.append(("ended", beast.ended, last.get("ended")))
        if beast.rung:
            promised.append(("rung", beast.rung, self.rung))
        broken = [f"{what}: expected {a!r}, found {b!r}" for what, a, b in promised if a != b]
        if not self.out_at:
            broken.append(f"it never came out: no worker's {self.node!r} got record {self.at}")
        elif self.seconds() > beast.seconds + slack:
            bound = f"{beast.seconds:g} s and {slack:g} s of slack"
            broken.append(f"it took {self.seconds():.1f} s, over {bound}")
        return [*broken, *(f"left behind: {what}" for what in self.left)]

    def _of_group(self) -> list[Event]:
        return [e for e in self.events if e.get("group") == self.group and e.get("worker")]


def read_events(path: Path) -> tuple[Event, ...]:
    """The events of a JSONL file, which may not be there."""
    if not path.exists():
        return ()
    return tuple(json.loads(line) for line in path.read_text("utf-8").splitlines())
