"""A fund-load run over four processes, fed line by line, whose lifecycle is listened to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from attack_ports import Address, address_of

PATIENCE_SECONDS = 120.0
_PACE_SECONDS = 0.02
_LISTENING = "supervisor_listening"
_WORKING = "supervisor_start_workload"


class LiveRun:
    """One run of `python -m sk_fundload`, from its spawn to its end. A context manager.

    Its lifecycle events come through a named pipe, so that nothing is polled for. Its input is fed
    a few lines at a time until `finish`, which feeds the rest. `options` are more of its command's.
    """

    def __init__(
        self, folder: Path, data: bytes, *, rules: str = "exp_mp", options: Sequence[str] = ()
    ) -> None:
        self._folder, self._lines = folder, data.splitlines(keepends=True)
        self._events: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._hurry = threading.Event()
        self.output, self.rejects = folder / "output", folder / "rejects"
        self._stderr = folder / "stderr"
        pipe = folder / "lifecycle"
        os.mkfifo(pipe)
        self._pipe = os.open(pipe, os.O_RDWR)  # for both: it has no end before it is closed here
        with self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*self._command(rules, pipe), *options],
                cwd=folder,
                stdin=subprocess.PIPE,
                stderr=stderr,
            )
        self._threads = [
            threading.Thread(target=self._listen, name="events", daemon=True),
            threading.Thread(target=self._feed, name="feed", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def ports(self) -> tuple[Address, Address]:
        """Wait for the listeners; the data port and the control port."""
        said = self.await_event(_LISTENING)["fields"]
        return address_of(said["data"]), address_of(said["control"])

    def await_work(self) -> None:
        """Wait until all workers were ready and the work has begun."""
        self.await_event(_WORKING)

    def await_event(self, name: str) -> dict[str, Any]:
        """Wait for the first event of a name; `AssertionError` when it does not come."""
        with self._heard:
            if not self._heard.wait_for(lambda: self.events(name), PATIENCE_SECONDS):
                raise AssertionError(f"no {name}; it said: {self.said()}")
            return self.events(name)[0]

    def events(self, name: str) -> Sequence[dict[str, Any]]:
        """The events of a name so far."""
        return [event for event in self._events if event["event"] == name]

    def said(self) -> str:
        """What it wrote to its standard error."""
        return self._stderr.read_text("utf-8", "replace")

    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def finish(self) -> int:
        """Feed the rest, and wait for the end; the exit code."""
        self._hurry.set()
        return self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hurry.set()
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)
        os.write(self._pipe, b"\n")
        for thread in self._threads:
            thread.join()
        os.close(self._pipe)

    def _command(self, rules: str, pipe: Path) -> list[str]:
        logging = "runtime.observability.logging"
        exporters = [{"kind": "jsonl", "settings": {"path": str(pipe)}}]
        return [
            *(sys.executable, "-m", "sk_fundload", "run", "--quiet"),
            *("--rules", rules, "--profile", "multiprocess", "--input", "-"),
            *("--output", str(self.output), "--rejects", str(self.rejects)),
            *("--set", f"{logging}.exporters={json.dumps(exporters)}"),
            *("--set", f"{logging}.lifecycle_events.level=debug"),
        ]

    def _listen(self) -> None:
        with os.fdopen(os.dup(self._pipe), "rb") as events:
            for line in events:
                if not line.strip():
                    return
                with self._heard:
                    self._events.append(json.loads(line))
                    self._heard.notify_all()

    def _feed(self) -> None:
        stream = self.process.stdin
        assert stream is not None
        try:
            with stream:
                for start in range(0, len(self._lines), 50):
                    stream.write(b"".join(self._lines[start : start + 50]))
                    stream.flush()
                    self._hurry.wait(_PACE_SECONDS)
                self._hurry.wait()
        except BrokenPipeError:
            return  # it has ended before its input; its exit code says why
