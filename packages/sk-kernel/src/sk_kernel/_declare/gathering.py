"""Collecting wrong declarations during discovery, to report all faults of a module at once.

Outside of discovery, a wrong declaration raises at its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from msgspec import Struct

from sk_kernel._declare.places import declaring_place
from sk_kernel.errors import DefinitionError


class Wrong(Struct, frozen=True):
    """A wrong declaration, and the module that contains it."""

    module: str
    error: DefinitionError


_gathered: ContextVar[list[Wrong] | None] = ContextVar("wrong_declarations", default=None)


@contextmanager
def gathered() -> Iterator[list[Wrong]]:
    """Collect the errors of declarations in the block, with their lines; they do not raise."""
    found: list[Wrong] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


class declaring:  # noqa: N801 - it stands in a with statement, as a function would
    """Context of a declaration: inside :func:`gathered`, its error is collected, not raised."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        found = _gathered.get()
        # Without a declarable target, the module's next statement would only raise another error.
        if found is None or not isinstance(error, DefinitionError) or not callable(self._target):
            return False
        module = str(getattr(self._target, "__module__", ""))
        found.append(Wrong(module, error.at(declaring_place())))
        return True
