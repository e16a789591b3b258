"""Writes texts of several lines to a worker's standard error as one marked line each."""

from __future__ import annotations

import logging
import sys

from sk_supervisor._protocol.marked_text import MarkedLines


class TellingHandler(logging.Handler):
    """The handler of last resort, for loggers that the application has not configured.

    :param mark: identifies this worker's records to the supervisor: see :class:`MarkedLines`.
    """

    def __init__(self, mark: str) -> None:
        super().__init__(logging.WARNING)
        self._marked = MarkedLines(mark)

    def tell(self, level: int, text: str) -> None:
        """Write a text, which the supervisor takes as one record of this level.

        The text is not marked if the application has replaced ``sys.stderr``.
        """
        is_own = sys.stderr is sys.__stderr__
        _write(self._marked.line_of(level, text) if is_own else f"{text}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, with its level and its traceback."""
        try:
            self.tell(record.levelno, self.format(record))
        except Exception:  # noqa: BLE001 - as all handlers of logging do
            self.handleError(record)


def tell(level: int, text: str) -> None:
    """Write a text with this worker's mark, or unmarked if it has none."""
    handler = logging.lastResort
    if isinstance(handler, TellingHandler):
        handler.tell(level, text)
    else:
        _write(f"{text}\n")


def tell_unconfigured_logs(mark: str) -> None:
    """Install the handler that writes each record from warning level on as one marked line.

    :param mark: see :class:`TellingHandler`.
    """
    logging.lastResort = TellingHandler(mark)


def _write(text: str) -> None:
    stream = sys.stderr
    if stream is None:  # it was closed from the start
        return
    stream.write(text)
    stream.flush()
