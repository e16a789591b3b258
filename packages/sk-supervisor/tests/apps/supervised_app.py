"""A small application whose nodes and adapters fail, hang or wait exactly when they are told to.

``numbers`` gives 1, 2, 3, ...; ``split`` drops every tenth, sends odd ones through ``work`` and
``tally`` and even ones straight to the sink; ``tally`` adds a line at the end of input.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import CheckError, Context, node, service, sink, source, state
from supervised_deeds import DEEDS, WorkSettings, interrupted, tell


class Number(msgspec.Struct, frozen=True):
    n: int


class Odd(msgspec.Struct, frozen=True):
    n: int


class Worked(msgspec.Struct, frozen=True):
    n: int
    text: str


class Item(msgspec.Struct, frozen=True):
    text: str


class NumbersSettings(msgspec.Struct, forbid_unknown_fields=True):
    count: int = 20
    endless: bool = False
    then: str = ""
    """What comes behind the last: nothing, ``wait`` (interruptible) or ``block`` (not)."""
    fails: str = ""
    ears: int = 0
    first_read: str = ""
    """A file for the time of the first read, by the monotonic clock."""


@source(stage="ingress")
class Numbers:
    def __init__(self, settings: NumbersSettings) -> None:
        self._settings = settings
        self._next = 1
        self._interrupted = threading.Event()

    def _may_fail(self, action: str) -> None:
        if self._settings.fails == action:
            raise ValueError(f"no {action} of secret payload")

    def open(self) -> None:
        if self._settings.ears:
            tell(self._settings.ears, "open")
        self._may_fail("open")

    def read(self, max_records: int, max_bytes: int) -> Sequence[Number]:
        if self._settings.first_read and self._next == 1:
            Path(self._settings.first_read).write_text(str(time.monotonic()))
        self._may_fail("read")
        if self._settings.fails == "exit":
            sys.exit(0)
        if self._interrupted.is_set():
            return ()
        end = self._next + min(max_records, 1000)
        if not self._settings.endless:
            end = min(end, self._settings.count + 1)
        numbers = [Number(n) for n in range(self._next, end)]
        self._next = end
        if not numbers:
            self._wait()
        return numbers

    def _wait(self) -> None:
        if self._settings.then == "wait":
            tell(self._settings.ears, "waiting")
            self._interrupted.wait()
        elif self._settings.then == "block":
            tell(self._settings.ears, "waiting")
            threading.Event().wait()

    def interrupt(self) -> None:
        self._interrupted.set()
        interrupted.set()
        self._may_fail("interrupt")

    def close(self) -> None:
        self._may_fail("close")


@source(stage="ingress")
def stdin_numbers() -> Iterator[Number]:
    for line in sys.stdin:
        yield Number(int(line))


@state(key=None)
class Tally:
    def __init__(self) -> None:
        self.count = 0


@node(stage="split")
def split(number: Number) -> Odd | Item | None:
    if number.n % 10 == 0:
        return None
    return Odd(number.n) if number.n % 2 else Item(f"{number.n} even")


@node(stage="work", tags={"odd"})
class Work:
    def __init__(self, settings: WorkSettings) -> None:
        self._settings = settings
        if settings.born == "raise":
            raise ValueError("not today")
        if settings.born == "system_exit":
            sys.exit(0)
        if settings.born == "leak":
            raise ValueError(f"cannot log in with {settings.secret}")
        if settings.born == "wait":
            tell(settings.ears, "born", wait=True)

    def __call__(self, odd: Odd, context: Context) -> Worked:
        text = f"{odd.n} {context.run_id}"
        if odd.n == self._settings.at:
            text = DEEDS[self._settings.do](self._settings) or text
        return Worked(odd.n, text)


@node(stage="work", runner="counting")
class TallyUp:
    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def __call__(self, worked: Worked) -> Item:
        self._tally.count += 1
        return Item(f"{worked.n} {self._tally.count} {worked.text}")

    def finish(self) -> Item:
        return Item(f"total {self._tally.count}")


class LinesSettings(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    fails: str = ""
    ears: int = 0
    hold: bool = False
    """Wait for the test before the first write."""


@sink(stage="egress")
class Lines:
    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self._target = Path(settings.path)
        self._partial = self._target.with_suffix(".partial")
        self._written = 0

    @classmethod
    def check(cls, settings: LinesSettings) -> None:
        if not Path(settings.path).parent.is_dir():
            raise CheckError("path", "its folder does not exist")

    def _may_fail(self, action: str) -> None:
        if action in self._settings.fails.split():
            raise ValueError(f"no {action} of secret payload")

    def open(self) -> None:
        self._may_fail("open")
        self._file = self._partial.open("w")

    def write(self, items: list[Item]) -> None:
        self._may_fail("write")
        if self._settings.hold and not self._written:
            tell(self._settings.ears, "held", wait=True)
        self._file.writelines(f"{item.text}\n" for item in items)
        self._written += len(items)

    def commit(self) -> None:
        self._may_fail("commit")
        self._file.close()
        self._partial.rename(self._target)
        if self._settings.ears and not self._settings.hold:
            tell(self._settings.ears, "committed", wait=True)

    def abort(self) -> None:
        self._file.close()
        with self._partial.open("a") as file:
            file.write("aborted\n")
        self._may_fail("abort")

    def partial_outputs(self) -> tuple[str, ...]:
        return (str(self._partial),)

    def summary(self) -> dict[str, int]:
        return {"lines": self._written}


@sink(stage="egress")
def printed(item: Item) -> None:
    sys.stdout.write(f"{item.text}\n")
    sys.stdout.flush()


@service()
class Clock:
    """Makes the catalogue complete."""
