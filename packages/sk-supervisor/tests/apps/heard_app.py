"""A node that tells which threads of its process would take a SIGTERM. Linux."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from sk_kernel import node, sink, source


class Asked(msgspec.Struct, frozen=True):
    n: int


class Heard(msgspec.Struct, frozen=True):
    by: list[str]


class Settings(msgspec.Struct):
    path: str = ""


@source
def one() -> Iterator[Asked]:
    yield Asked(1)


@node
def who(asked: Asked) -> Heard:
    names = {str(each.native_id): each.name for each in threading.enumerate()}
    threads = sorted(Path("/proc/self/task").iterdir())
    return Heard([names.get(each.name, "native") for each in threads if _takes(each)])


def _takes(thread: Path) -> bool:
    for line in (thread / "status").read_text().splitlines():
        name, _, mask = line.partition(":")
        if name == "SigBlk":
            return not int(mask, 16) >> (signal.SIGTERM - 1) & 1
    return False


@sink
class Lines:
    def __init__(self, settings: Settings) -> None:
        self._target = Path(settings.path)

    def write(self, heard: Sequence[Heard]) -> None:
        self._target.write_text("".join(f"{' '.join(each.by)}\n" for each in heard))
