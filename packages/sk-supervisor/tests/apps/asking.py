"""Configurations of the application that is asked, and gates that its nodes wait before."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sk_config import Config, build_config
from sk_supervisor import Service

SIDE = ["left", "right", "risky", "echo"]
FOUR: tuple[dict[str, Any], ...] = (
    {"name": "one", "nodes": ["first"]},
    {"name": "two", "nodes": ["second", *SIDE]},
    {"name": "three", "nodes": ["third"]},
    {"name": "four", "nodes": ["last"]},
)
ONE: tuple[dict[str, Any], ...] = (
    {"name": "one", "nodes": ["first", "second", "third", "last", *SIDE]},
)
SHARED: tuple[dict[str, Any], ...] = (
    {"name": "one", "nodes": ["first"]},
    {"name": "two", "nodes": ["second", *SIDE], "workers": 2},
    {"name": "three", "nodes": ["third"], "workers": 3},
    {"name": "four", "nodes": ["last"]},
)


def asked(
    groups: Sequence[Mapping[str, Any]] | None = FOUR,
    *,
    platform: Mapping[str, Any] | None = None,
    runtime: Mapping[str, Any] | None = None,
    adapters: Mapping[str, Any] | None = None,
    every_group: Mapping[str, Any] | None = None,
    modules: Sequence[str] = ("asked_app", "asked_side"),
) -> Config:
    """A configuration that only serves requests; without groups, in the memory profile."""
    policies = {"risky": {"policy": "skip"}} if "asked_side" in modules else {}
    transport = "tcp_local" if groups else "memory"
    ipc: dict[str, Any] = {"transport": transport}
    if groups:
        ipc["control"] = {"transport": "tcp_local"}
    return build_config(
        {
            "version": 1,
            "scenario": "asked",
            "runtime": {
                "discovery_modules": list(modules),
                "platform": {
                    "bootstrap": {"mode": "process_supervisor" if groups else "inline"},
                    "execution_ipc": ipc,
                    "process_groups": [{**g, **(every_group or {})} for g in groups or ()],
                    **(platform or {}),
                },
                "failure": {"nodes": policies},
                **(runtime or {}),
            },
            "adapters": adapters or {"source": {"name": "requests"}, "sink": {"name": "replies"}},
        }
    )


def come_true(is_so: Callable[[], object], what: str, patience: float = 30.0) -> None:
    """Return when something is so that nobody tells; where it does not come, fail, and say what."""
    between, until = threading.Event(), time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < until, f"within {patience} s it has not come: {what}"
        between.wait(0.01)


def drain_begun(service: Service) -> None:
    """Return when it has: from then on only what is in flight is answered."""
    events = service._supervisor.lifecycle_events
    come_true(lambda: any(e.name == "drain_begun" for e in events()), "drain_begun")


class Gate:
    """A FIFO that a node waits before."""

    def __init__(self, folder: Path, name: str = "gate") -> None:
        self.path = str(folder / name)
        os.mkfifo(self.path)
        self._end: int | None = None

    def reached(self) -> None:
        """Return when a node waits before it."""
        self._end = os.open(self.path, os.O_WRONLY)

    def open(self) -> None:
        """Let it pass."""
        if self._end is None:
            self.reached()
        assert self._end is not None
        os.close(self._end)
        self._end = None
