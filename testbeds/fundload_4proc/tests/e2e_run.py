"""A run of the workload as a live process, which a test feeds, listens to, signals and outwaits.

Nothing here waits by the clock: a test goes on when a line has come, a stream has ended or a
process is gone, and `PATIENCE_SECONDS` is only when it gives up.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals

import psutil

PATIENCE_SECONDS = 60.0
_BLOCK = 64 * 1024
_PARTIAL = re.compile(r"^ *partial output: (.+)$", re.MULTILINE)


class StuckError(AssertionError):
    """What a test waited for did not come, or can come no more."""


@dataclass(frozen=True)
class Ended:
    """A run that is over: its exit code (negative: killed by that signal), what it wrote."""

    code: int
    output: bytes
    said: str

    @property
    def partials(self) -> list[Path]:
        """The partial files that it named."""
        return [Path(found) for found in _PARTIAL.findall(self.said)]


class LiveRun:
    """A process with pipes as its standard streams. All of them are served while a test waits."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        pipe = subprocess.PIPE
        self._popen = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0
        )
        streams = self._popen.stdin, self._popen.stdout, self._popen.stderr
        self._stdin, self._stdout, self._stderr = (s.fileno() for s in streams if s is not None)
        self._heard = {self._stdout: bytearray(), self._stderr: bytearray()}
        self._taken = 0
        self._pending = bytearray()
        self._flood = b""
        self._selector = selectors.DefaultSelector()
        for stream in self._heard:
            self._selector.register(stream, selectors.EVENT_READ)
        os.set_blocking(self._stdin, False)
        self._ended: Ended | None = None

    @property
    def process(self) -> psutil.Process:
        """The process: in the multiprocess profile, the supervisor."""
        return psutil.Process(self._popen.pid)

    @property
    def over(self) -> bool:
        """Whether `end` has seen its end."""
        return self._ended is not None

    def workers(self) -> dict[str, psutil.Process]:
        """The worker processes by group, whose name is in the last word of their command line."""
        return {p.cmdline()[-1].rpartition("-")[0]: p for p in self.process.children()}

    def feed(self, data: bytes) -> None:
        """Write all of `data` to its standard input."""
        self._pending += data
        self._offer()
        self._serve(lambda: not self._pending, "take its input")

    def flood(self, block: bytes) -> None:
        """From now on write `block` to its standard input, again and again, as fast as it reads."""
        self._flood = block
        self._offer()

    def close_input(self) -> None:
        """End its standard input."""
        self._forget(self._stdin)
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def lines(self, count: int) -> list[bytes]:
        """Wait for the next `count` lines of its standard output."""
        heard = self._heard[self._stdout]
        self._serve(lambda: heard.count(b"\n", self._taken) >= count, f"write {count} lines")
        lines = bytes(heard[self._taken :]).split(b"\n")[:count]
        self._taken += sum(len(line) + 1 for line in lines)
        return lines

    def await_word(self, word: str) -> None:
        """Wait until its standard error holds `word`."""
        heard = self._heard[self._stderr]
        self._serve(lambda: word.encode() in heard, f"say {word!r}")

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        self._popen.send_signal(number)

    def end(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        """Wait, `seconds` at most, until it and everybody who holds its streams has ended."""
        if self._ended is None:
            until = time.monotonic() + seconds
            self._serve(lambda: not self._hearing(), "close its streams", seconds)
            try:
                code = self._popen.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired as late:
                raise self._stuck("exit") from late
            output, said = (bytes(self._heard[s]) for s in (self._stdout, self._stderr))
            self._ended = Ended(code, output, said.decode())
            self._release()
        return self._ended

    def insist(self, number: Signals, seconds: float = PATIENCE_SECONDS) -> None:
        """Send a signal until the run has ended, `seconds` at most.

        Python hears one that comes just before a system call that blocks only when that is over,
        and a run takes one that comes at once behind another for its echo.
        """
        until = time.monotonic() + seconds
        while self._hearing():
            self.signal(number)
            wait = min(1.0, until - time.monotonic())
            try:
                self._serve(lambda: not self._hearing(), "heed a signal", wait)
            except StuckError:
                if time.monotonic() >= until:
                    raise

    def kill(self) -> None:
        """End it, if it is not over, whatever it does."""
        if self._ended is None:
            self._popen.kill()
            self._popen.wait()
            self._release()

    def _serve(
        self, done: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS
    ) -> None:
        until = time.monotonic() + seconds
        while not done():
            left = until - time.monotonic()
            if left <= 0 or not self._hearing():
                raise self._stuck(what)
            for key, _ in self._selector.select(left):
                self._write() if key.fd == self._stdin else self._hear(key.fd)

    def _hear(self, stream: int) -> None:
        block = os.read(stream, _BLOCK)
        self._heard[stream] += block
        if not block:
            self._forget(stream)

    def _write(self) -> None:
        if not self._pending:
            self._pending += self._flood
        try:
            del self._pending[: os.write(self._stdin, self._pending[:_BLOCK])]
        except BrokenPipeError:
            self._pending.clear()
            self._flood = b""
        if not self._pending and not self._flood:
            self._forget(self._stdin)

    def _hearing(self) -> bool:
        return any(stream in self._selector.get_map() for stream in self._heard)

    def _offer(self) -> None:
        if self._stdin not in self._selector.get_map():
            self._selector.register(self._stdin, selectors.EVENT_WRITE)

    def _forget(self, stream: int) -> None:
        if stream in self._selector.get_map():
            self._selector.unregister(stream)

    def _release(self) -> None:
        self._selector.close()
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if stream is not None:
                stream.close()

    def _stuck(self, what: str) -> StuckError:
        said = bytes(self._heard[self._stderr]).decode("utf-8", "replace")
        return StuckError(
            f"the run did not {what}; exit code {self._popen.poll()}; it said:\n{said}"
        )


def alive_after(seconds: float, processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Wait, `seconds` at most, until all of `processes` are gone; give those that are not.

    One that is dead and only not yet reaped by whoever inherited it is gone.
    """
    _, left = psutil.wait_procs(list(processes), timeout=seconds)
    return [process for process in left if not _dead(process)]


def peak_mib(process: psutil.Process) -> float:
    """The most memory that a process has held so far, where the system says; else what it holds."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        (line,) = (s for s in status.read_text("ascii").splitlines() if s.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return float(process.memory_info().rss) / 2**20


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
