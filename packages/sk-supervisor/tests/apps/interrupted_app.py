"""A source that sends a Ctrl-C when it is interrupted, and then waits until it is released."""

from __future__ import annotations

import os
import signal
import threading

import msgspec
from sk_kernel import node, sink, source

RELEASED = threading.Event()


class Number(msgspec.Struct, frozen=True):
    n: int


class Row(msgspec.Struct, frozen=True):
    n: int


@source(unbounded=True)
class Numbers:
    def read(self, max_records: int, max_bytes: int) -> list[Number]:
        RELEASED.wait()
        return []

    def interrupt(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@node
def rows(number: Number) -> Row:
    return Row(number.n)


@sink
def draft(row: Row) -> None: ...
