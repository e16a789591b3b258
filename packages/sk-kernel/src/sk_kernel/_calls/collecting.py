"""Collecting the payloads of a node that returns several: all exist before the first goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def collected(output: Any) -> Any:
    """Return the payloads of a generator or other iterable as a list, so that its code has run.

    Any other value is returned as it is; its emission rejects it if it is no collection.
    """
    if isinstance(output, list | tuple | str | bytes | Mapping) or not hasattr(output, "__iter__"):
        return output
    return list(output)


def collecting(call: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    """Wrap a node's call so that the several payloads it returns are collected."""

    async def awaited(*arguments: Any, **named: Any) -> Any:
        return collected(await call(*arguments, **named))

    def called(*arguments: Any, **named: Any) -> Any:
        return collected(call(*arguments, **named))

    return awaited if is_async else called
