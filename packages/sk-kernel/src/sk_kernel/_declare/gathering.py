"""Going on past a declaration that is wrong, so that all of a module's are told at once.

Outside of a discovery a wrong declaration raises where it stands.
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
    """A declaration that is wrong, and the module that it is in."""

    module: str
    error: DefinitionError


_gathered: ContextVar[list[Wrong] | None] = ContextVar("wrong_declarations", default=None)


@contextmanager
def gathered() -> Iterator[list[Wrong]]:
    """What is declared wrongly in here, each with its line: it does not raise."""
    found: list[Wrong] = []
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


class declaring:  # noqa: N801 - it stands in a with statement, as a function would
    """Where errors are gathered, one of the declaration of ``target`` is noted and passed over."""

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
        # Of what is neither function nor class the module would only raise something else next.
        if found is None or not isinstance(error, DefinitionError) or not callable(self._target):
            return False
        module = str(getattr(self._target, "__module__", ""))
        found.append(Wrong(module, error.at(declaring_place())))
        return True
