"""What a person sees of a run: a live line on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import time
from typing import Protocol, TextIO

from sk_kernel import Progress

#: Plain lines come this often at most, besides one whenever a group's state changes.
_PLAIN_SECONDS = 5.0


class Display(Protocol):
    """Shows how a run goes. ``line`` may be called from any thread."""

    def progress(self, progress: Progress) -> None:
        """A group has come this far."""

    def line(self, worker: str, text: str) -> None:
        """A worker wrote a line to its standard error."""

    def close(self) -> None:
        """Show nothing more."""


class Board:
    """The latest progress of each group, and what it adds up to."""

    def __init__(self) -> None:
        self.groups: dict[str, Progress] = {}
        self._began: float | None = None

    def put(self, progress: Progress) -> bool:
        """Note a group's progress; whether its state changed."""
        before = self.groups.get(progress.group)
        self.groups[progress.group] = progress
        if self._began is None and progress.records_in:
            self._began = time.monotonic()
        return before is None or before.state != progress.state

    def totals(self) -> str:
        """Records in and out, and the rate since the first."""
        taken = max((p.records_in for p in self.groups.values()), default=0)
        given = max((p.records_out for p in self.groups.values()), default=0)
        seconds = time.monotonic() - self._began if self._began is not None else 0.0
        rate = f"{taken / seconds:,.0f}/s" if seconds > 0.05 else "-"
        return f"in {taken:,}  out {given:,}  {rate}"

    def states(self) -> str:
        """Each group with its state."""
        return "  ".join(f"{name} {p.state}" for name, p in self.groups.items())


class PlainDisplay:
    """Lines for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._board = stream, Board()
        self._next = 0.0

    def progress(self, progress: Progress) -> None:
        """Print a line when a state changed, or the last one is some seconds old."""
        changed = self._board.put(progress)
        now = time.monotonic()
        if changed or now >= self._next:
            self._next = now + _PLAIN_SECONDS
            print(f"{self._board.totals()}  {self._board.states()}", file=self._stream, flush=True)

    def line(self, worker: str, text: str) -> None:
        """Print it behind the worker's name."""
        print(f"[{worker}] {text}", file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing to undo."""


class QuietDisplay(PlainDisplay):
    """Only what workers write themselves."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""


class LiveDisplay:
    """One line that changes in place; needs a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self._board, self._text = Board(), Text
        self._live = Live(console=Console(file=stream), refresh_per_second=8, transient=True)
        self._live.start()

    def progress(self, progress: Progress) -> None:
        """Bring the line up to date; it is drawn by a thread of its own."""
        self._board.put(progress)
        self._live.update(self._text(f"{self._board.totals()}  {self._board.states()}"))

    def line(self, worker: str, text: str) -> None:
        """Print it above the line."""
        self._live.console.print(self._text(f"[{worker}] {text}"))

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


def display_for(stream: TextIO, *, quiet: bool) -> Display:
    """The display that suits a stream."""
    if quiet:
        return QuietDisplay(stream)
    return LiveDisplay(stream) if stream.isatty() else PlainDisplay(stream)
