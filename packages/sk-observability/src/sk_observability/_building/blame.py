"""The description of an error that another package's code raised on its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sk_kernel.runtime import line_of

from sk_observability._exporting.exporter import Settings
from sk_observability._exporting.reasons import reason_of

_MASK: Final = "***"
_LEAST_LENGTH: Final = 4
"""The shortest setting that is masked: a shorter one would match unrelated text."""


def raised(error: BaseException, settings: Settings) -> str:
    """Return the error's class, message and line; the message has the settings' values masked."""
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
