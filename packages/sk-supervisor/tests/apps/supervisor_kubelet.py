"""A kubelet: probes a real ``sk run`` and ends it, as the documentation of pods says."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sk_supervisor._system.signals import ECHO_SECONDS
from supervisor_harness import PATIENCE, Command, let_pass, written
from supervisor_probing import Answer, probe

#: Between two probes; kubelets count in whole seconds.
PERIOD = 0.05


class Kubelet:
    """One container of one pod, whose lifecycle events go to ``events``.

    :param pod: the configuration of the run; its ``logging`` is replaced.
    """

    def __init__(self, folder: Path, pod: Mapping[str, Any]) -> None:
        self._events = folder / "events.jsonl"
        rails = [
            {"kind": "jsonl", "settings": {"path": str(self._events)}},
            {"kind": "stdout", "settings": {}},
        ]
        pod["runtime"]["observability"]["logging"] = {"exporters": rails}
        self.container = Command(["run", written(folder, pod), "--run-id", "r1"])
        self.timeline: list[tuple[str, int]] = []
        """What it saw and did, and when, in nanoseconds since the epoch."""
        self.addresses = self._told_addresses()

    def note(self, what: str) -> None:
        """Put it into the timeline."""
        self.timeline.append((what, time.time_ns()))

    def when(self, what: str) -> int:
        """When this was noted first."""
        return next(at for noted, at in self.timeline if noted == what)

    def ask(self, check: str) -> Answer:
        """One probe."""
        answer = probe(self.addresses["http"], f"/{check}")
        self.note(f"{check} {answer.status}")
        return answer

    def ask_until(self, check: str, status: int) -> Answer:
        """Probe once in a period, until it is so; the container must not end meanwhile."""
        end = time.monotonic() + PATIENCE
        while (answer := self.ask(check)).status != status:
            assert time.monotonic() < end, self.timeline
            assert not self.exits_within(PERIOD), self.timeline
        return answer

    def exits_within(self, seconds: float) -> bool:
        """Whether the container ends within that time."""
        try:
            self.container.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def terminate(
        self, grace: float, *, pre_stop: Sequence[str] = (), meanwhile: Callable[[], object] = int
    ) -> int:
        """preStop, SIGTERM, grace, SIGKILL; gives the exit code.

        The grace begins before preStop; ``meanwhile`` is done behind SIGTERM.
        """
        end = time.monotonic() + grace
        if pre_stop:
            self.note("preStop")
            subprocess.run(pre_stop, check=True, timeout=grace)
        self.note("SIGTERM")
        self.container.signal(signal.SIGTERM)
        meanwhile()
        if not self.exits_within(max(0.0, end - time.monotonic())):
            self.note("SIGKILL")
            self.container.signal(signal.SIGKILL)
        code, self.out, self.err = self.container.finish()
        self.note("gone")
        return code

    def insist(self) -> None:
        """A second signal, behind the echoes of the first, which was heard."""
        let_pass(ECHO_SECONDS * 2)
        self.note("SIGINT")
        self.container.signal(signal.SIGINT)

    def times(self, name: str) -> list[int]:
        """When lifecycle events of that name came, in nanoseconds since the epoch.

        For a container that has ended: its events are written by a thread of their own.
        """
        events = map(json.loads, self._events.read_text().splitlines())
        return [_nanoseconds(event["time"]) for event in events if event["event"] == name]

    def pids(self) -> list[int]:
        """The container's processes."""
        main = psutil.Process(self.container.process.pid)
        return [main.pid, *(child.pid for child in main.children(recursive=True))]

    def _told_addresses(self) -> dict[str, str]:
        stdout = self.container.process.stdout
        assert stdout is not None
        for line in stdout:
            if "health_listening" in line:
                return dict(word.split("=", 1) for word in line.split() if "=" in word)
        raise AssertionError(self.container.finish())


def _nanoseconds(rfc3339: str) -> int:
    seconds, _, fraction = rfc3339.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    return int(whole.timestamp()) * 1_000_000_000 + int(fraction)
