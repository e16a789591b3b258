"""Where a run is shown: in one live line, in plain lines, or only what workers write."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, TextIO

from sk_supervisor._show.board import Board

_WORKERS: Final = logging.getLogger("sk_supervisor.workers")
#: Plain lines with totals come this often at most.
_PLAIN_SECONDS = 5.0


class Written(NamedTuple):
    """What a worker, by name and stream, wrote: a line, or, with a level, a text of several."""

    worker: str
    text: str
    level: int | None = None

    def lines(self) -> Iterator[str]:
        """Each of its lines, behind the worker's name."""
        return (f"[{self.worker}] {line}" for line in self.text.split("\n"))


class Screen(Protocol):
    """Used by one thread."""

    def written(self, written: Written) -> None:
        """Show what a worker wrote."""

    def line(self, text: str) -> None:
        """Show a line about workers."""

    def notice(self, text: str) -> None:
        """Show a line of the run's own."""

    def show(self, board: Board, now: float) -> None:
        """Show how the run stands."""

    def close(self) -> None:
        """Leave the stream as it was."""

    def say(self, text: str) -> None:
        """Print a line as it is; behind the close."""


class QuietScreen:
    """Only what workers write themselves."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def written(self, written: Written) -> None:
        """Print its lines."""
        for line in written.lines():
            self.line(line)

    def line(self, text: str) -> None:
        """Print it."""
        print(text, file=self._stream, flush=True)

    def notice(self, text: str) -> None:
        """Show nothing."""

    def show(self, board: Board, now: float) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Nothing to undo."""

    def say(self, text: str) -> None:
        """Print it."""
        print(text, file=self._stream, flush=True)


class LoggedScreen(QuietScreen):
    """For a program that watches no screen: what workers write is logged, as it comes."""

    def written(self, written: Written) -> None:
        """Log it, as one record; a line of a standard error is a warning."""
        level = written.level
        if level is None:
            is_error = written.worker.endswith(" stderr")
            level = logging.WARNING if is_error else logging.INFO
        _WORKERS.log(level, "[%s] %s", written.worker, written.text)

    def line(self, text: str) -> None:
        """Log it."""
        _WORKERS.info("%s", text)


class PlainScreen(QuietScreen):
    """Lines for logs and pipes: one when all groups reach a phase, and totals now and then.

    Totals that are as they were last told, rate and all, are not told again.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._phase = self._totals = ""
        self._totals_at = 0.0

    def notice(self, text: str) -> None:
        """Print it."""
        self.line(text)

    def show(self, board: Board, now: float) -> None:
        """Print what has changed, if it is worth a line."""
        phase = board.phase()
        if phase and phase != self._phase:
            self._phase, self._totals_at = phase, now + _PLAIN_SECONDS
            self.line(phase)
        elif board.working() and now >= self._totals_at:
            self._totals_at = now + _PLAIN_SECONDS
            before, self._totals = self._totals, board.totals()
            if self._totals != before:
                self.line(self._totals)


class LiveScreen(QuietScreen):
    """One line that changes in place; needs a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        super().__init__(stream)
        self._text = Text
        # Standard output is the sink's, and nobody else may touch it.
        self._live = Live(
            console=Console(file=stream),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def line(self, text: str) -> None:
        """Print it above the line."""
        self._live.console.print(self._text(text), soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print it above the line."""
        self.line(text)

    def show(self, board: Board, now: float) -> None:
        """Bring the line up to date."""
        text = f"{board.totals()}  {board.states()}"
        line = self._text(text, no_wrap=True, overflow="ellipsis")
        self._live.update(line, refresh=True)

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


def can_live(stream: TextIO) -> bool:
    """Whether a line can change in place there."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def same_terminal(stream: TextIO, descriptor: int) -> bool:
    """Whether what is written to a file descriptor comes out on the stream's terminal."""
    try:
        one, other = os.fstat(stream.fileno()), os.fstat(descriptor)
    except (OSError, ValueError):  # it is closed, or no file at all
        return False
    return stat.S_ISCHR(other.st_mode) and one.st_rdev == other.st_rdev
