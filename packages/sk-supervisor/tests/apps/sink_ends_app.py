"""A sink that writes a file, and what its settings name goes wrong at its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sk_kernel import sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Wrong(msgspec.Struct, forbid_unknown_fields=True):
    path: str = ""
    how: str = ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    raise KeyboardInterrupt


SUMMARIES: dict[str, Callable[[], object]] = {
    "long": lambda: {"w" * 300: 1, "kept": 2},
    "many": lambda: {f"customer {n}": 1 for n in range(300_000)},
    "interrupt": interrupt,
    "die": die,
}


@source
class Numbers:
    def __init__(self, settings: Wrong) -> None:
        self._given, self._how = iter(range(1, 6)), settings.how

    def read(self, max_records: int, max_bytes: int) -> list[Number]:
        return [Number(n) for n in self._given]

    def interrupt(self) -> None: ...

    def close(self) -> None:
        if self._how == "close":
            raise OSError("lost")


@sink
class Draft:
    def __init__(self, settings: Wrong) -> None:
        self._how, self._target = settings.how, Path(settings.path)
        self._draft = self._target.with_suffix(".partial")

    def open(self) -> None:
        self._draft.touch()

    def write(self, numbers: Sequence[Number]) -> None:
        with self._draft.open("a") as out:
            out.writelines(f"{number.n}\n" for number in numbers)

    def commit(self) -> None:
        self._draft.replace(self._target)
        if self._how == "die in commit":
            die()

    def abort(self) -> None:
        if self._how == "unlink":
            self._draft.unlink()

    def partial_outputs(self) -> tuple[str, ...]:
        if self._how == "path":
            return (self._draft,)  # type: ignore[return-value]
        return (str(self._draft),) if self._draft.exists() else ()

    def summary(self) -> object:
        return SUMMARIES.get(self._how, dict)()
