"""Expansion of `${ENV:NAME}` and `${FILE:path}` in string values; `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic_core import ErrorDetails

from sk_config._files import read_text
from sk_config._finding import Finding
from sk_config._parse import parse_document
from sk_config._path import Path

_TOKEN: Final = re.compile(
    r"(?P<escape>\$\$\{)"
    r"|\$\{ENV:(?P<env>[A-Za-z_][A-Za-z0-9_]*)\}"
    r"|\$\{FILE:(?P<file>[^{}]+)\}"
    r"|(?P<malformed>\$\{)"
)


#: The types that a placeholder's text may be converted to, by pydantic's error for a text.
_TAKES: Final[dict[str, tuple[type, ...]]] = {
    "int_type": (int,),
    "float_type": (int, float),
    "bool_type": (bool,),
}


class _MissingError(Exception):
    """Raised if a placeholder cannot be expanded. The finding names it, and shows no value."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


@dataclass(slots=True)
class Expansion:
    """Expands placeholders from `environ` and `base_dir`, and records where they were."""

    environ: Mapping[str, str]
    base_dir: FilePath
    placeholders: dict[Path, str] = field(default_factory=dict)
    """The text as it was written, by the path of each string with an expanded placeholder."""
    brought_in: dict[Path, set[str]] = field(default_factory=dict)
    """The values of the placeholders, by the path of the string that contains them."""
    whole: set[Path] = field(default_factory=set)
    """The paths of strings that consist of one placeholder."""
    findings: list[Finding] = field(default_factory=list)

    def expand(self, value: Any, path: Path = ()) -> Any:
        """Copy plain data with its placeholders expanded; a string that fails stays as it is."""
        if isinstance(value, dict):
            return {key: self.expand(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            expanded = _TOKEN.sub(lambda match: self._text(match, path), value)
        except _MissingError as error:
            self.findings.append(error.finding)
            return value
        if any(match["env"] or match["file"] for match in _TOKEN.finditer(value)):
            self.placeholders[path] = value
        return expanded

    def values(self) -> set[str]:
        """Return the values of all placeholders, which must not be shown."""
        return set().union(*self.brought_in.values())

    def _text(self, match: re.Match[str], path: Path) -> str:
        if match["escape"]:
            return "${"
        if match["env"] or match["file"]:
            text = self._brought_in(match, path)
            self.brought_in.setdefault(path, set()).add(text)
            if match[0] == match.string:
                self.whole.add(path)
            return text
        expected = "${ENV:NAME} or ${FILE:path} (a literal ${ is written $${)"
        raise _MissingError(Finding(path, "bad_value", expected, "a string with another ${"))

    def _brought_in(self, match: re.Match[str], path: Path) -> str:
        if name := match["env"]:
            return self._variable(name, path)
        return self._file(match["file"], path)

    def _variable(self, name: str, path: Path) -> str:
        text = self.environ.get(name)
        expected = f"the environment variable {name}"
        if text is None:
            raise _MissingError(
                Finding(path, "secret", f"{expected} to be set", "no such variable")
            )
        if not _is_text(text):
            raise _MissingError(Finding(path, "secret", f"{expected} to be UTF-8", "other bytes"))
        return text

    def _file(self, name: str, path: Path) -> str:
        text = read_text(self.base_dir / name)
        if isinstance(text, Finding):
            expected = f"{text.expected} at {name!r}"
            raise _MissingError(Finding(path, "secret", expected, text.got))
        return text.removesuffix("\n").removesuffix("\r")


def set_scalars(data: Any, errors: Iterable[ErrorDetails], whole: Iterable[Path]) -> Iterator[Path]:
    """Convert placeholder texts in `data`, in place, for number and boolean fields.

    Yields the paths of the converted texts. A text is converted if its field rejected it as a text
    (`errors`) and it consists of one placeholder (`whole` are the paths of these). It is read as a
    YAML scalar.
    """
    candidates = frozenset(whole)
    for error in errors:
        path, takes = error["loc"], _TAKES.get(error["type"])
        if takes is None or path not in candidates or not isinstance(error["input"], str):
            continue
        document = parse_document(error["input"], "yaml")
        if not document.findings and type(document.value) in takes:
            holder = data
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = document.value
            yield path


def _is_text(text: str) -> bool:
    """Whether a variable is Unicode text (undecodable bytes of it appear as lone surrogates)."""
    return not any("\ud800" <= char <= "\udfff" for char in text)
