"""The payloads of a node that gives several for one: made before the first of them goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def collected(output: Any) -> Any:
    """The payloads of a node that gives several, so that its own code has run when it is left.

    What is no collection of payloads is returned as it is, to be refused by its emission.
    """
    if isinstance(output, list | tuple | str | bytes | Mapping) or not hasattr(output, "__iter__"):
        return output
    return list(output)


def collecting(call: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    """A node's call whose several payloads are collected."""

    async def awaited(*arguments: Any, **named: Any) -> Any:
        return collected(await call(*arguments, **named))

    def called(*arguments: Any, **named: Any) -> Any:
        return collected(call(*arguments, **named))

    return awaited if is_async else called
