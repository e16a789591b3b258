"""What a person sees of a run: a live line on a terminal, plain lines elsewhere, or nothing.

It is drawn by a thread of its own. A terminal that stands still (Ctrl-S, a pager) holds up neither
the supervisor nor a worker.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol, TextIO

from sk_kernel import Progress

from sk_supervisor._board import Board
from sk_supervisor._screens import LiveScreen, PlainScreen, QuietScreen, Screen, can_live
from sk_supervisor._signals import without_signals

#: It is drawn this often at most, and only when there is something new.
_INTERVAL_SECONDS = 0.1
#: Lines that wait to be shown; more than these are counted and not shown.
_MAX_LINES = 1000
_CLOSE_SECONDS = 2.0


class Display(Protocol):
    """Shows how a run goes. Callable from any thread; never blocks."""

    def progress(self, progress: Progress) -> None:
        """A group has come this far."""

    def line(self, worker: str, text: str) -> None:
        """A worker, by name and stream, wrote a line."""

    def close(self) -> None:
        """Show what is left, and then nothing more."""


class ThreadedDisplay:
    """A screen and the thread that draws on it."""

    def __init__(self, screen: Screen, groups: Sequence[str]) -> None:
        self._screen, self._board = screen, Board(groups)
        self._latest: dict[str, Progress] = {}
        self._lines: deque[str] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._news, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._draw, name="display", daemon=True)
        with without_signals():
            self._thread.start()

    def progress(self, progress: Progress) -> None:
        """Bring the board up to date."""
        self._latest[progress.group] = progress
        if not self._news.is_set():
            self._news.set()

    def line(self, worker: str, text: str) -> None:
        """Show it behind the worker's name."""
        with self._lock:
            if len(self._lines) < _MAX_LINES:
                self._lines.append(f"[{worker}] {text}")
            else:
                self._lost += 1
        self._news.set()

    def close(self) -> None:
        """Draw a last time; a screen that takes nothing is left."""
        self._closing.set()
        self._news.set()
        self._thread.join(_CLOSE_SECONDS)

    def _draw(self) -> None:
        while not self._closing.is_set():
            self._news.wait()
            self._news.clear()
            self._draw_news()
            self._closing.wait(_INTERVAL_SECONDS)
        self._draw_news()
        self._screen.close()

    def _draw_news(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, deque()
            lost, self._lost = self._lost, 0
        for line in lines:
            self._screen.line(line)
        if lost:
            self._screen.line(f"({lost:,} more lines of the workers are not shown)")
        now = time.monotonic()
        self._board.put(list(self._latest.values()), now)
        self._screen.show(self._board, now)


def display_for(stream: TextIO, groups: Sequence[str], *, quiet: bool) -> Display:
    """The display that suits a stream."""
    screen: Screen
    if quiet:
        screen = QuietScreen(stream)
    else:
        screen = LiveScreen(stream) if can_live(stream) else PlainScreen(stream)
    return ThreadedDisplay(screen, groups)
