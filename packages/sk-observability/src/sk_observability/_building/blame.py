"""What is told of another package's code that raised while it was given its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sk_kernel.runtime import line_of

from sk_observability._exporting.exporter import Settings
from sk_observability._exporting.reasons import reason_of

_MASK: Final = "***"
_LEAST_LENGTH: Final = 4
"""A shorter text would be found everywhere."""


def raised(error: BaseException, settings: Settings) -> str:
    """Give class, text and line: the values of settings are masked in the text."""
    text = str(error.strerror) if isinstance(error, OSError) and error.strerror else str(error)
    for value in sorted(set(_texts(settings)), key=len, reverse=True):
        text = text.replace(value, _MASK)
    return f"{reason_of(error)}{text and f': {text}'}{line_of(error)}"


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str() if len(value) >= _LEAST_LENGTH:
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
