"""A small application to run on every engine: what comes out of it says how it was run.

``numbers`` gives 1, 2, 3, ...; ``weigh`` keeps no state and does what it is told to one number;
``tally`` counts by the last two digits; ``spell`` makes a line of each count; the sink writes them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from sk_kernel import Context, node, sink, source, state

MODULE = "engines_app"


class Number(Struct, frozen=True):
    """What the source gives."""

    n: int


class Weighed(Struct, frozen=True):
    """A number, its last two digits, and the run that it was weighed in."""

    n: int
    ending: int
    run_id: str


class Tallied(Struct, frozen=True):
    """A number, how many of its ending came by until it, and the run that it was weighed in."""

    n: int
    count: int
    run_id: str


class Line(Struct, frozen=True):
    """What the sink writes."""

    text: str


class NumbersSettings(Struct, forbid_unknown_fields=True):
    """How many; 0 for no end. At its first read it writes the time to the file ``first_read``."""

    count: int = 0
    first_read: str = ""


@source()
class Numbers:
    """1, 2, 3, ... to ``count``, or until it is interrupted."""

    def __init__(self, settings: NumbersSettings) -> None:
        self._count, self._next, self._first_read = settings.count, 1, settings.first_read
        self._interrupted = threading.Event()

    def read(self, max_records: int, max_bytes: int) -> Sequence[Number]:
        """The next ones."""
        if self._first_read:
            Path(self._first_read).write_text(str(time.monotonic()))  # one clock for all processes
            self._first_read = ""
        if self._interrupted.is_set():
            return ()
        end = self._next + min(max_records, 1000)
        end = min(end, self._count + 1) if self._count else end
        first, self._next = self._next, max(end, self._next)
        return [Number(n) for n in range(first, end)]

    def interrupt(self) -> None:
        """Give no more."""
        self._interrupted.set()


class WeighSettings(Struct, forbid_unknown_fields=True):
    """What to do ``at`` a number, or when it is born: raise, kill, freeze, block or wait.

    It waits until there is a byte to be read at the ``gate``, a named pipe. A number it can also
    give ``twice``.
    """

    at: int = 0
    do: str = ""
    gate: str = ""
    born: str = ""


@node(stage="work")
class Weigh:
    """Passes every number on, if nothing else is asked for."""

    def __init__(self, settings: WeighSettings) -> None:
        self._at, self._do, self._gate = settings.at, settings.do, settings.gate
        self._harm(settings.born)

    def __call__(self, number: Number, context: Context) -> list[Weighed]:
        """Weigh it."""
        weighed = Weighed(number.n, number.n % 100, context.run_id)
        if number.n != self._at:
            return [weighed]
        self._harm(self._do)
        return [weighed] * (2 if self._do == "twice" else 1)

    def _harm(self, do: str) -> None:
        if do == "raise":
            raise ValueError("hidden words")
        if do in ("kill", "freeze"):
            os.kill(os.getpid(), signal.SIGKILL if do == "kill" else signal.SIGSTOP)
        elif do == "block":
            threading.Event().wait()
        elif do == "wait":
            with open(self._gate, "rb", buffering=0) as gate:
                gate.read(1)


@state(key="ending")
class Tally:
    """How many numbers of one ending came by."""

    def __init__(self) -> None:
        self.count: dict[int, int] = {}


@node(stage="tally")
def tally(weighed: Weighed, counts: Tally) -> Tallied:
    """Count."""
    count = counts.count[weighed.ending] = counts.count.get(weighed.ending, 0) + 1
    return Tallied(weighed.n, count, weighed.run_id)


@node(stage="tally")
def spell(tallied: Tallied) -> Line:
    """Say it in words."""
    return Line(f"{tallied.n} {tallied.count} {tallied.run_id}")


class LinesSettings(Struct, forbid_unknown_fields=True):
    """Where to; ``-`` is standard output, line by line."""

    path: str = "-"


@sink()
class Lines:
    """Writes beside the target, and brings it into place at the end."""

    def __init__(self, settings: LinesSettings) -> None:
        self._path = settings.path
        self._partial = Path(f"{settings.path}.partial")

    def open(self) -> None:
        """Open the partial file, or standard output."""
        self._file = sys.stdout if self._path == "-" else self._partial.open("w")

    def write(self, lines: list[Line]) -> None:
        """Write, and hold nothing back."""
        self._file.writelines(f"{line.text}\n" for line in lines)
        self._file.flush()

    def commit(self) -> None:
        """Bring it into place."""
        if self._path != "-":
            self._file.close()
            self._partial.rename(self._path)

    def abort(self) -> None:
        """Leave the partial file."""
        if self._path != "-":
            self._file.close()

    def partial_outputs(self) -> tuple[str, ...]:
        """The partial file."""
        return () if self._path == "-" else (str(self._partial),)
