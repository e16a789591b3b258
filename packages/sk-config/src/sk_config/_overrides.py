"""`PATH=VALUE`: values set from a command line over those of the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sk_config._finding import Finding
from sk_config._limits import OverLimitError
from sk_config._parse import parse_document
from sk_config._path import Path, parse_path, render_path
from sk_config._plain import plain_copy
from sk_config._show import kind

_FORM = "PATH=VALUE, as in --set runtime.platform.process_groups[0].workers=2"


class Override(NamedTuple):
    """A plain value, and the path at which it is to be set."""

    path: Path
    value: Any


def parse_overrides(texts: Iterable[str]) -> Iterator[Override | Finding]:
    """Read overrides. VALUE is YAML: `2`, `true`, `[a, b]`, `"a: b"`; an empty one is null.

    A lone `-` is text, the name of a standard stream: to YAML it is a list of one null, which
    nobody means.
    """
    if isinstance(texts, str):  # it would be taken letter by letter
        yield Finding(("overrides",), "override", f"a list of {_FORM}", "one string: write [...]")
        return
    for index, text in enumerate(texts):
        raw_path, equals, raw_value = text.partition("=")
        path = parse_path(raw_path.strip())
        if path is None:
            # The text is not shown: where the form is wrong, a value cannot be told from a path.
            yield Finding(("overrides", index), "override", _FORM, "another form")
        elif not equals:
            got = f"{render_path(path)} without a value"
            yield Finding(("overrides", index), "override", _FORM, got)
        else:
            yield _read(path, raw_value)


def apply_overrides(data: Any, overrides: Iterable[Override]) -> Iterator[Finding]:
    """Set values in `data` itself, in order; give a finding for each that cannot be set.

    A mapping on the way that is missing or null is made.
    """
    for override in overrides:
        holder: Any = data
        for depth, part in enumerate(override.path[:-1]):
            if (fault := _misses(holder, override.path[: depth + 1])) is not None:
                yield fault
                break
            if isinstance(holder, dict) and holder.get(part) is None:
                holder[part] = {}
            holder = holder[part]
        else:
            if (fault := _misses(holder, override.path)) is not None:
                yield fault
            else:
                holder[override.path[-1]] = override.value


def override_data(overrides: Iterable[str]) -> dict[str, Any]:
    """Give what overrides say by themselves, as a document: `load_config` puts them over a file.

    The value of one that goes into a list, which only a file has, is not in it.
    """
    data: dict[str, Any] = {}
    read = [each for each in parse_overrides(overrides) if isinstance(each, Override)]
    for _ in apply_overrides(data, read):
        """What has no place here."""
    return data


def _read(path: Path, raw_value: str) -> Override | Finding:
    if raw_value.strip() == "-":
        return Override(path, "-")
    document = parse_document(raw_value, "yaml")
    try:
        value, findings = plain_copy(document.value)
    except OverLimitError as error:
        findings = [error.finding]
    for found in (*document.findings, *findings):
        expected = f"{found.expected} as the VALUE (quote what has special characters)"
        return Finding((*path, *found.path), "override", expected, found.got)
    return Override(path, value)


def _misses(holder: Any, path: Path) -> Finding | None:
    """Say why `holder` has no place for the last part of a path; None when it has one."""
    part = path[-1]
    if isinstance(part, str):
        if isinstance(holder, dict):
            return None
        return Finding(path, "override", "a path through mappings", f"{kind(holder)} on the way")
    if not isinstance(holder, list):
        return Finding(path, "override", "an index into a list", f"{kind(holder)} on the way")
    if part < len(holder):
        return None
    return Finding(path, "override", "an index that the list has", kind(holder))
