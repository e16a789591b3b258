"""Telling in one piece, on a worker's standard error, what has several lines."""

from __future__ import annotations

import logging
import sys

from sk_supervisor._protocol.told import line_of


def tell(level: int, text: str) -> None:
    """Write a text, which the supervisor takes for one record of this level.

    As it is, where the application has put another stream in the place of standard error.
    """
    stream = sys.stderr
    if stream is None:  # it was closed from the start
        return
    stream.write(line_of(level, text) if stream is sys.__stderr__ else f"{text}\n")
    stream.flush()


class TellingHandler(logging.Handler):
    """What becomes of records of loggers that the application has not configured."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, with its own level and its traceback."""
        try:
            tell(record.levelno, self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of logging does
            self.handleError(record)


def tell_unconfigured_logs() -> None:
    """Have what nobody has configured come as whole records: warnings and above, as otherwise."""
    logging.lastResort = TellingHandler(logging.WARNING)
