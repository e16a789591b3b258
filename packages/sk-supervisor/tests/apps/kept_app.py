"""An application with nodes that finish, and a sink that writes to more than its path.

``pick`` raises on the numbers that its settings name. Of the others ``add_up`` gives nothing until
it finishes, ``in_pairs`` gives every second one with the one before it, and ``tell`` gives each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from sk_kernel import node, sink, source


class Number(msgspec.Struct, frozen=True):
    n: int


class Picked(msgspec.Struct, frozen=True):
    n: int


class Row(msgspec.Struct, frozen=True):
    text: str


class Sources(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Bad(msgspec.Struct, forbid_unknown_fields=True):
    on: tuple[int, ...] = ()


@source()
def numbers(settings: Sources) -> Iterator[Number]:
    yield from map(Number, range(1, settings.count + 1))


@node
def pick(number: Number, settings: Bad) -> Picked:
    if number.n in settings.on:
        raise ValueError("a bad number")
    return Picked(number.n)


@node
class AddUp:
    def __init__(self) -> None:
        self._total = 0

    def __call__(self, picked: Picked) -> None:
        self._total += picked.n

    def finish(self) -> Row:
        return Row(f"total {self._total}")


@node
class InPairs:
    def __init__(self) -> None:
        self._kept: list[int] = []

    def __call__(self, picked: Picked) -> Iterator[Row]:
        self._kept.append(picked.n)
        if len(self._kept) == 2:
            yield self._row()

    def finish(self) -> Row | None:
        return self._row() if self._kept else None

    def _row(self) -> Row:
        kept, self._kept = self._kept, []
        return Row(f"pair {kept}")


@node
class Tell:
    async def __call__(self, picked: Picked) -> Row:
        return Row(f"told {picked.n}")

    def finish(self) -> Row:
        return Row("the end")


class Places(msgspec.Struct, forbid_unknown_fields=True):
    main: str = "left.txt"


class RowsSettings(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    log: str
    mode: Literal["fast", "slow"] | None = "fast"
    size: int = 3
    more: Places = msgspec.field(default_factory=Places)


@sink()
class KeptRows:
    """Its log takes the place of the last one's, as soon as there is nothing to be said.

    Once closed it says beside its output what was called of it at the end.
    """

    def __init__(self, settings: RowsSettings) -> None:
        self._settings = settings
        self._rows: list[str] = []
        self._ended: list[str] = []

    def write(self, rows: list[Row]) -> None:
        self._rows += [f"{row.text}\n" for row in rows]

    def commit(self) -> None:
        self._ended.append("commit")
        Path(self._settings.path).write_text("".join(self._rows))
        Path(self._settings.log).write_text(f"{len(self._rows)} rows\n")

    def abort(self) -> None:
        self._ended.append("abort")
        self._rows.clear()

    def close(self) -> None:
        Path(self._settings.path).with_suffix(".ended").write_text(" ".join(self._ended))
