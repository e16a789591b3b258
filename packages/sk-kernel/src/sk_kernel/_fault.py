"""One thing that is wrong with an application or its configuration."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True, order=True):
    """One thing that is wrong, where it is, what was expected there, and what was there.

    ``path`` is a dotted configuration path (``nodes.parse.limit``) or the name of what is at fault.
    ``got`` is empty where nothing was there; where nothing particular was expected, ``expected``
    is, and ``got`` is the problem in the words of who found it. ``place`` is file and line of the
    code that is at fault, where it is code.
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
