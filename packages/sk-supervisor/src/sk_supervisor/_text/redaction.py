"""Masking of secrets in lines and messages. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from sk_config import secret_values

if TYPE_CHECKING:
    from sk_config import Config

MASK: Final = "**********"
LEAST_LENGTH: Final = 4
"""A shorter text is not masked: it would match everywhere."""


class Redactor:
    """Masks known texts, also in the form that ``repr``, JSON or URL quoting gives them.

    For a text of several lines, each line is masked also by itself. Other encodings are not found.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = frozenset(values)
        forms = {form for value in self._values for form in _forms(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __repr__(self) -> str:
        return f"Redactor({len(self._values)} texts)"

    def __call__(self, text: str) -> str:
        """Return ``text`` with each known text replaced by `MASK`."""
        return self._pattern.sub(MASK, text) if self._pattern else text


def _forms(value: str) -> Iterator[str]:
    for line in (value, *value.splitlines()):
        written = {
            line,
            repr(line)[1:-1],
            json.dumps(line)[1:-1],
            quote(line),
            quote(line, safe=""),
        }
        yield from (form for form in written if len(form.strip()) >= LEAST_LENGTH)


def redactor_of(config: Config) -> Redactor:
    """A redactor for the secrets of a configuration and for all values of its placeholders."""
    return Redactor(secret_values(config))
