"""Configurations of the application that is asked, and gates that its nodes wait before."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sk_config import Config, build_config
from supervisor_harness import PATIENCE

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


class Told:
    """What a run tells, as its exporter writes it into a FIFO."""

    def __init__(self, folder: Path) -> None:
        path = folder / "told"
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # its own end, too: so it never ends
        self._rest = b""
        exporter = {"kind": "jsonl", "settings": {"path": str(path)}}
        #: What makes a run tell it, under ``runtime``.
        self.runtime = {"observability": {"logging": {"exporters": [exporter]}}}

    def wait_for(self, name: str) -> None:
        """Return when the next event of that name has come."""
        end = time.monotonic() + PATIENCE
        while True:
            *lines, self._rest = self._rest.split(b"\n")
            for number, line in enumerate(lines, 1):
                if json.loads(line)["event"] == name:
                    self._rest = b"\n".join([*lines[number:], self._rest])
                    return
            left = max(0.0, end - time.monotonic())
            assert select.select([self._end], [], [], left)[0], f"not told in time: {name}"
            self._rest += os.read(self._end, 65536)

    def close(self) -> None:
        """Hear no more."""
        os.close(self._end)


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
