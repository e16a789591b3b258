"""A receiver as a process: started, listened to, waited for, and gone when it is closed."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 300.0
"""Phoenix imports for a minute where the machine has other things to do."""
_BETWEEN_LOOKS = 0.2


class StuckError(AssertionError):
    """What was waited for did not come."""


class ReceiverProcess:
    """A program whose lines are kept as they come."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, patience: float
    ) -> None:
        self._patience = patience
        self._news = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        self._popen = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name="receiver-lines")
        self._reader.start()

    def lines(self, enough: Callable[[Sequence[str]], bool]) -> list[str]:
        """Give the lines so far, once there are enough.

        :raises StuckError: when that is not so in time, or cannot be any more.
        """
        with self._news:
            came = self._news.wait_for(lambda: enough(self._lines) or self._ended, self._patience)
            if not came or not enough(self._lines):
                last = " / ".join(self._lines[-3:])
                raise StuckError(f"the receiver {'ended' if self._ended else 'waits'}: {last}")
            return list(self._lines)

    def look(self, found: Callable[[], T | None]) -> T:
        """Look again and again for what only the receiver knows, until it is there.

        :raises StuckError: when it is not in time, or the receiver has ended.
        """
        until = time.monotonic() + self._patience
        with self._news:
            while (thing := found()) is None:
                if self._ended or time.monotonic() > until:
                    raise StuckError("the receiver has not got it: " + " / ".join(self._lines[-3:]))
                self._news.wait(_BETWEEN_LOOKS)
        return thing

    def close(self) -> None:
        """End it, by force if it does not go."""
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._popen.terminate()
        try:
            self._popen.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._reader.join()
        if self._popen.stdout is not None:
            self._popen.stdout.close()

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            with self._news:
                self._lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
