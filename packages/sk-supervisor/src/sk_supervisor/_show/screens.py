"""Screens that show a run: as one live line, as plain lines, or only the output of workers."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol, TextIO

from sk_supervisor._show.board import Board

_WORKERS: Final = logging.getLogger("sk_supervisor.workers")
#: The shortest time between two plain lines with totals.
_PLAIN_SECONDS = 5.0


class Written(NamedTuple):
    """The output of a worker (name and stream): a line, or, with a level, a text of several."""

    worker: str
    text: str
    level: int | None = None

    def lines(self) -> Iterator[str]:
        """Each line of the text, with the worker's name before it."""
        return (f"[{self.worker}] {line}" for line in self.text.split("\n"))


class Screen(Protocol):
    """A way to show a run. Not thread-safe."""

    def written(self, written: Written) -> None:
        """Show the output of a worker."""

    def line(self, text: str) -> None:
        """Show a line about workers."""

    def notice(self, text: str) -> None:
        """Show a line of the run's own."""

    def show(self, board: Board, now: float) -> None:
        """Show the progress of the run."""

    def close(self) -> None:
        """Restore the stream."""

    def say(self, text: str) -> None:
        """Print a line as it is, after :meth:`close`."""


class QuietScreen:
    """Prints only the output of workers and lines about them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def written(self, written: Written) -> None:
        """Print each line, with the worker's name before it."""
        for line in written.lines():
            self.line(line)

    def line(self, text: str) -> None:
        """Print the line."""
        print(text, file=self._stream, flush=True)

    def notice(self, text: str) -> None:
        """Show nothing."""

    def show(self, board: Board, now: float) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Do nothing."""

    def say(self, text: str) -> None:
        """Print the text."""
        print(text, file=self._stream, flush=True)


class LoggedScreen(QuietScreen):
    """Logs the output of workers, for a program that runs without a screen."""

    def written(self, written: Written) -> None:
        """Log the output as one record; without a level, standard error is a warning."""
        level = written.level
        if level is None:
            is_error = written.worker.endswith(" stderr")
            level = logging.WARNING if is_error else logging.INFO
        _WORKERS.log(level, "[%s] %s", written.worker, written.text)

    def line(self, text: str) -> None:
        """Log the line."""
        _WORKERS.info("%s", text)


class PlainScreen(QuietScreen):
    """Prints lines for logs and pipes: one when all groups reach a phase, and totals at intervals.

    Totals are not printed again while they are the same, rate included.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._phase = self._totals = ""
        self._totals_at = 0.0

    def notice(self, text: str) -> None:
        """Print the line."""
        self.line(text)

    def show(self, board: Board, now: float) -> None:
        """Print a phase that is new, or else the totals when they are due."""
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
    """Shows one line that changes in place; needs a terminal."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        super().__init__(stream)
        self._text = Text
        # Standard output belongs to the sink and must not be redirected.
        self._live = Live(
            console=Console(file=stream),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def line(self, text: str) -> None:
        """Print the text above the live line."""
        self._live.console.print(self._text(text), soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print the text above the live line."""
        self.line(text)

    def show(self, board: Board, now: float) -> None:
        """Update the live line."""
        text = f"{board.totals()}  {board.states()}"
        line = self._text(text, no_wrap=True, overflow="ellipsis")
        self._live.update(line, refresh=True)

    def close(self) -> None:
        """Remove the live line."""
        self._live.stop()


def can_live(stream: TextIO) -> bool:
    """Whether the stream is a terminal on which a line can change in place."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def same_terminal(stream: TextIO, descriptor: int) -> bool:
    """Whether a file descriptor and a stream are the same terminal."""
    try:
        one, other = os.fstat(stream.fileno()), os.fstat(descriptor)
    except (OSError, ValueError):  # one is closed, or the stream is not a file
        return False
    return stat.S_ISCHR(other.st_mode) and one.st_rdev == other.st_rdev
