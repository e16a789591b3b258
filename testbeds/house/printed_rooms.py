"""The internal packages (rooms) of a package, and which of them needs which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from source_tree import PACKAGES, Import, Package, docstring_of, imports_of, python_files

_HEAD = ["| internal package | contents |", "|---|---|"]


def rooms_table() -> str:
    """For each package that has rooms a table of them, each above all that it needs."""
    parts = []
    for package in PACKAGES:
        needs = needs_of_rooms(package)
        if needs:
            rows = [_row(package.source / room) for room in from_the_top(needs)]
            parts.append("\n".join([f"### {package.module}", "", *_HEAD, *rows]))
    return "\n\n".join(parts)


def needs_of_rooms(package: Package) -> dict[str, set[str]]:
    """The other rooms that each room of a package imports from."""
    rooms = {path.parent.name for path in package.source.glob("_*/__init__.py")} - {"_pb"}
    needs: dict[str, set[str]] = {room: set() for room in sorted(rooms)}
    for room, needed in needs.items():
        for path in python_files(package.source / room):
            modules = {part for found in imports_of(path) for part in _parts(found, package)}
            needed |= (modules & rooms) - {room}
    return needs


def _parts(found: Import, package: Package) -> list[str]:
    """The part of the package that an import is from, if it is from one."""
    full = f"{found.module}.{found.name}" if found.module == package.module else found.module
    top, *parts = full.split(".")
    return parts[:1] if top == package.module else []


def from_the_top(needs: Mapping[str, set[str]]) -> list[str]:
    """The rooms, each above all that it needs; by name if both orders are right.

    :raises CycleError: if there is no such order.
    """
    left, order = dict(needs), list[str]()
    while left:
        free = [room for room in left if not any(room in needed for needed in left.values())]
        if not free:
            raise CycleError(sorted(left))
        order += free
        left = {room: needed for room, needed in left.items() if room not in free}
    return order


class CycleError(Exception):
    """Rooms need each other in a circle, or are needed by those that do."""

    def __init__(self, rooms: list[str]) -> None:
        super().__init__(f"a circle in, or above, {', '.join(rooms)}")


def _row(room: Path) -> str:
    text = docstring_of(room / "__init__.py").rstrip(".")
    return f"| `{room.name}` | {text[0].lower()}{text[1:]} |"
