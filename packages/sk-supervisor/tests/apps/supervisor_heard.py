"""What is logged while a test runs, and a way to wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Heard(logging.Handler):
    """Keeps what is logged; ``came`` is set by a message that has ``last`` in it."""

    def __init__(self, last: str) -> None:
        super().__init__()
        self.last, self.came = last, threading.Event()
        self.records: list[logging.LogRecord] = []

    @property
    def lines(self) -> list[tuple[int, str]]:
        """Level and message of each."""
        return [(record.levelno, record.getMessage()) for record in self.records]

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.records.append(record)
        if self.last in record.getMessage():
            self.came.set()


@contextmanager
def hearing(logger: str, last: str) -> Iterator[Heard]:
    """What this logger says for as long as it lasts."""
    handler, log = Heard(last), logging.getLogger(logger)
    log.addHandler(handler)
    try:
        yield handler
    finally:
        log.removeHandler(handler)
