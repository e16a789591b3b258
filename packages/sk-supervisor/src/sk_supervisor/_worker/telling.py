"""Telling in one piece, on a worker's standard error, what has several lines."""

from __future__ import annotations

import logging
import sys

from sk_supervisor._protocol.told import Marked


class TellingHandler(logging.Handler):
    """What becomes of records of loggers that the application has not configured.

    :param mark: what the supervisor knows this worker's records by.
    """

    def __init__(self, mark: str) -> None:
        super().__init__(logging.WARNING)
        self._marked = Marked(mark)

    def tell(self, level: int, text: str) -> None:
        """Write a text, which the supervisor takes for one record of this level.

        As it is, where the application has put another stream in the place of standard error.
        """
        is_own = sys.stderr is sys.__stderr__
        _write(self._marked.line_of(level, text) if is_own else f"{text}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, with its own level and its traceback."""
        try:
            self.tell(record.levelno, self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of logging does
            self.handleError(record)


def tell(level: int, text: str) -> None:
    """Tell it with this worker's mark; as it is, where it has none."""
    handler = logging.lastResort
    if isinstance(handler, TellingHandler):
        handler.tell(level, text)
    else:
        _write(f"{text}\n")


def tell_unconfigured_logs(mark: str) -> None:
    """Have what nobody has configured come as whole records: warnings and above, as otherwise.

    :param mark: see :class:`TellingHandler`.
    """
    logging.lastResort = TellingHandler(mark)


def _write(text: str) -> None:
    stream = sys.stderr
    if stream is None:  # it was closed from the start
        return
    stream.write(text)
    stream.flush()
