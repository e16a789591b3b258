"""The display of a run: a live line on a terminal, plain lines elsewhere, or nothing.

It is drawn by a thread of its own, so that a blocked terminal (Ctrl-S, a pager) blocks neither the
supervisor nor a worker.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TextIO

from sk_kernel import Progress

from sk_supervisor._show.board import Board
from sk_supervisor._show.screens import (
    LiveScreen,
    PlainScreen,
    Screen,
    Written,
    can_live,
    same_terminal,
)
from sk_supervisor._system.threads import begin, begun

#: The shortest time between two draws; without news nothing is drawn.
_INTERVAL_SECONDS = 0.1
#: At most so many lines wait to be shown; further ones are only counted.
_MAX_LINES = 1000
_CLOSE_SECONDS = 2.0


class Display:
    """A screen that shows a run, and the thread that draws on it.

    Thread-safe. Only :meth:`close` and :meth:`last_words` wait for the screen, for a bounded time.
    """

    def __init__(self, screen: Screen, board: Board) -> None:
        self._screen, self._board = screen, board
        self._latest: dict[str, Progress] = {}
        self._lines: deque[Written] = deque()
        self._lost = 0
        self._lock = threading.Lock()
        self._notices: deque[str] = deque()
        self._stopping: set[str] = set()
        self._closing = threading.Event()
        # Not an Event: its set() takes a lock that the thread of a signal handler may hold.
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._draw, name="display", daemon=True)
        with contextlib.suppress(OSError):  # nothing is shown then; starts that need one report it
            begin(self._thread)

    def progress(self, progress: Progress) -> None:
        """Show how far a group has come."""
        self._latest[progress.group] = progress
        if self._news.empty():
            self._news.put(None)

    def line(self, worker: str, text: str, level: int | None = None) -> None:
        """Show a line that a worker wrote, or a text with its log level.

        :param worker: the worker's name and the stream.
        """
        with self._lock:
            if len(self._lines) < _MAX_LINES:
                self._lines.append(Written(worker, text, level))
            else:
                self._lost += 1
        if self._news.empty():
            self._news.put(None)

    def notice(self, text: str) -> None:
        """Show a line of the run's own. Safe in a signal handler."""
        self._notices.append(text)
        self._news.put(None)

    def stopping(self, ends_it: str) -> None:
        """Show once that a stop was requested, how long it waits, and how to end the run at once.

        Safe in a signal handler.
        """
        if ends_it not in self._stopping:
            self._stopping.add(ends_it)
            self.notice(self._board.stopping(ends_it))

    def close(self) -> None:
        """Show the rest, and nothing after it except last words; abandon a blocked screen."""
        self._closing.set()
        self._news.put(None)
        if begun(self._thread):
            self._thread.join(_CLOSE_SECONDS)

    def last_words(self, texts: Iterable[str]) -> bool:
        """Show how the run ended, after :meth:`close`, from another thread.

        :returns: whether the screen showed the texts in time; a blocked one is abandoned.
        """
        speaker = threading.Thread(target=self._say, args=(texts,), name="last words", daemon=True)
        try:
            begin(speaker)
        except OSError:
            self._say(texts)
        else:
            speaker.join(_CLOSE_SECONDS)
        return not speaker.is_alive()

    def _draw(self) -> None:
        while not self._closing.is_set():
            self._news.get()
            while not self._news.empty():  # all that is new is drawn together
                self._news.get()
            self._draw_news()
            self._closing.wait(_INTERVAL_SECONDS)
        self._draw_news()
        self._screen.close()

    def _say(self, texts: Iterable[str]) -> None:
        if begun(self._thread):
            self._thread.join()
        for text in texts:
            self._screen.say(text)

    def _draw_news(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, deque()
            lost, self._lost = self._lost, 0
        for written in lines:
            self._screen.written(written)
        if lost:
            self._screen.line(f"({lost:,} more lines of the workers are not shown)")
        now = time.monotonic()
        self._board.put(list(self._latest.values()), now)
        while self._notices:
            self._screen.notice(self._notices.popleft())
        self._screen.show(self._board, now)


def display_for(
    stream: TextIO,
    board: Board,
    quiet: Callable[[TextIO], Screen] | None = None,
    *,
    output_elsewhere: bool = True,
) -> Display:
    """Create the display that suits a stream.

    :param quiet: the kind of screen for a quiet run; None if the run is not quiet.
    :param output_elsewhere: whether the sink is known not to write to standard output, whose lines
        would be mixed up with the live line on the same terminal.
    """
    kind: Callable[[TextIO], Screen] = PlainScreen
    if quiet is not None:
        kind = quiet
    elif can_live(stream) and (output_elsewhere or not same_terminal(stream, 1)):
        kind = LiveScreen
    return Display(kind(stream), board)
