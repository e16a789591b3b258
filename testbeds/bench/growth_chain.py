"""An application that does nothing: ten nodes, each of which passes on what it is given.

What is left of a run's cost is the platform's own. The source makes so many records of so many
bytes; the sink writes down how many records and bytes came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import GenericAlias
from typing import Any

from msgspec import Struct, defstruct
from sk_kernel import node, sink, source

NODES = 10


class Load(Struct, frozen=True, forbid_unknown_fields=True):
    """How many records there are, and how large each is."""

    records: int
    payload_bytes: int


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to write."""

    path: str


class Payload0(Struct, frozen=True):
    """What the source gives."""

    body: bytes


# Nodes are connected by the types of what they take and give: ten of them need eleven.
_TYPES: list[Any] = [Payload0]
_TYPES += [
    defstruct(f"Payload{i}", [("body", bytes)], frozen=True, module=__name__)
    for i in range(1, NODES + 1)
]


def _step(number: int) -> Callable[[Any], Any]:
    before, after = _TYPES[number - 1], _TYPES[number]

    def step(item: Any) -> Any:
        return after(item.body)

    step.__name__ = step.__qualname__ = f"step{number}"
    step.__annotations__ = {"item": before, "return": after}
    return node(step)


globals().update({f"step{number}": _step(number) for number in range(1, NODES + 1)})


@source(name="blocks")
def blocks(settings: Load) -> Iterator[Payload0]:
    """Give the same bytes so many times."""
    body = bytes(settings.payload_bytes)
    for _ in range(settings.records):
        yield Payload0(body)


class Counted:
    """Counts what comes."""

    def __init__(self, settings: Place) -> None:
        self._path = Path(settings.path)
        self._records = self._bytes = 0

    def open(self) -> None:
        """Nothing is held open."""

    def write(self, items: list[Any]) -> None:
        """Count one batch."""
        self._records += len(items)
        self._bytes += sum(len(item.body) for item in items)

    def commit(self) -> None:
        """Write the sums."""
        self._path.write_text(f"{self._records} {self._bytes}\n", "utf-8")

    def abort(self) -> None:
        """There is nothing to undo."""

    def partial_outputs(self) -> tuple[str, ...]:
        """None: the sums are written at the end, or not at all."""
        return ()

    def summary(self) -> dict[str, int]:
        """How many records came."""
        return {"records": self._records}


Counted.write.__annotations__["items"] = GenericAlias(list, (_TYPES[NODES],))
sink(name="counted")(Counted)
