"""A fault of an application or its configuration."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True, order=True):
    """One fault: its path, the expected value and the value found.

    ``path`` is a dotted configuration path (``nodes.parse.limit``) or the name of the faulty
    object. ``got`` is empty if nothing was found there. If no particular value was expected,
    ``expected`` is empty and ``got`` describes the problem. ``place`` is file and line, if the
    fault is in code.
    """

    path: str
    category: str
    expected: str
    got: str = ""
    place: str = ""

    def __str__(self) -> str:
        problem = f"expected {self.expected}" if self.expected else self.got
        got = f"; got {self.got}" if self.expected and self.got else ""
        place = f" ({self.place})" if self.place else ""
        return f"{self.path}: {self.category}: {problem}{got}{place}"
