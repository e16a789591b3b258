"""A node that cannot be created, with a service whose ``close`` waits until it is released."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
from sk_kernel import node, service, sink, source

#: Set by a test in whose process the service is closed.
RELEASED = threading.Event()
CLOSED = threading.Event()


class Number(msgspec.Struct, frozen=True):
    n: int


class Row(msgspec.Struct, frozen=True):
    n: int


@service
class Patient:
    def close(self) -> None:
        RELEASED.wait()
        CLOSED.set()


@source
def numbers() -> Iterator[Number]:
    yield Number(1)


@node
class Passed:
    def __init__(self, patient: Patient) -> None:
        raise ValueError("no such table")

    def __call__(self, number: Number) -> Row:
        return Row(number.n)


@sink
def draft(row: Row) -> None: ...
