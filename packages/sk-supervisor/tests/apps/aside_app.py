"""Numbers to a sink, and beside it a node that nothing follows; settings say how that ends."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Ends(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    how: str = ""


def mark_of(path: str) -> Path:
    """The file that the node writes at its end."""
    return Path(path).with_suffix(".audited")


@source
def numbers() -> Iterator[Number]:
    yield from (Number(n) for n in range(1, 6))


@node
class Audit:
    """Ends with the process; or marks that it has seen all."""

    def __init__(self, settings: Ends) -> None:
        self._ends, self._seen = settings, 0

    def __call__(self, number: Number) -> None:
        self._seen += 1

    def finish(self) -> None:
        if self._ends.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        mark_of(self._ends.path).write_text(f"{self._seen}\n")


@sink
class Draft:
    def __init__(self, settings: Ends) -> None:
        self._target = Path(settings.path)
        self._rows: list[str] = []

    def open(self) -> None: ...

    def write(self, numbers: Sequence[Number]) -> None:
        self._rows += [f"{number.n}\n" for number in numbers]

    def commit(self) -> None:
        audited = mark_of(str(self._target)).read_text()
        self._target.write_text("".join([*self._rows, f"audited {audited}"]))

    def abort(self) -> None: ...
