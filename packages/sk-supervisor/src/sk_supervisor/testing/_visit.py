"""The outcome of one run of an application with a beast in it."""

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
    """A finished run with a beast: its exit code, events, standard error and leftover processes."""

    beast: Beast
    group: str
    exit_code: int
    stderr: str
    events: tuple[Event, ...]
    out_at: tuple[float, ...]
    """When the beast was released, in seconds since the epoch: once for each worker, sorted."""
    left: tuple[str, ...]
    node: str = ""
    """The node in which the beast was to be released."""
    at: int = 1
    """On which record, counted in each worker, it was to be released."""
    slack_seconds: float = SLACK_SECONDS
    """The allowance for a slow machine, added to the promised time."""

    @property
    def failures(self) -> list[Event]:
        """The ``worker_failed`` events of the node's group, in order."""
        return [e for e in self._of_group() if e["event"] == "worker_failed"]

    @property
    def category(self) -> str:
        """The category of the group's last failure; empty if no worker failed."""
        return str(self.failures[-1]["fields"].get("category", "")) if self.failures else ""

    @property
    def rung(self) -> str:
        """The step of the stop ladder that ended the group's last worker; empty if none stopped."""
        stopped = [e for e in self._of_group() if e["event"] == "worker_stopped"]
        return str(stopped[-1]["fields"].get("rung", "")) if stopped else ""

    def seconds(self) -> float:
        """Seconds from the release of the beast to the failure, or to the worker's end if none."""
        ends = self.failures or [e for e in self._of_group() if e["event"] == "worker_stopped"]
        if not ends or not self.out_at:
            return float("inf")
        return datetime.fromisoformat(ends[-1]["time"]).timestamp() - self.out_at[-1]

    def check(self, *, slack_seconds: float | None = None) -> None:
        """Assert that the run had the outcome that the beast promises.

        :param slack_seconds: the allowance added to the promised time, by default that of the zoo.
            A beast that fails no worker is timed to the end of its worker: allow for the time that
            your input takes.
        :raises AssertionError: listing every difference from the promise.
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
    """The events in a JSONL file; empty if the file does not exist."""
    if not path.exists():
        return ()
    return tuple(json.loads(line) for line in path.read_text("utf-8").splitlines())
