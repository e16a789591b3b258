"""`PATH=VALUE` overrides: values from a command line that replace those of the document."""

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
    """A plain value, and the path at which it is set."""

    path: Path
    value: Any


def parse_overrides(texts: Iterable[str]) -> Iterator[Override | Finding]:
    """Parse overrides. VALUE is YAML: `2`, `true`, `[a, b]`, `"a: b"`; an empty one is null.

    A lone `-` is read as text, the name of a standard stream, and not as YAML's list of one null.
    """
    if isinstance(texts, str):  # it would be iterated by character
        yield Finding(("overrides",), "override", f"a list of {_FORM}", "one string: write [...]")
        return
    for index, text in enumerate(texts):
        raw_path, equals, raw_value = text.partition("=")
        path = parse_path(raw_path.strip())
        if path is None:
            # The text is not shown: in a malformed override the value (a secret) is not separable.
            yield Finding(("overrides", index), "override", _FORM, "another form")
        elif not equals:
            got = f"{render_path(path)} without a value"
            yield Finding(("overrides", index), "override", _FORM, got)
        else:
            yield _read(path, raw_value)


def apply_overrides(data: Any, overrides: Iterable[Override]) -> Iterator[Finding]:
    """Set values in `data`, in place and in order; yield a finding for each that cannot be set.

    Missing or null mappings on a path are created.
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
    """Return the values of overrides alone, as a document; `load_config` sets them over a file.

    Overrides of list items are left out: the lists are only in the file.
    """
    data: dict[str, Any] = {}
    read = [each for each in parse_overrides(overrides) if isinstance(each, Override)]
    for _ in apply_overrides(data, read):
        """Ignored: the path of this override is not in an empty document."""
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
    """Return why `holder` cannot have the last part of a path as a key or index; None if it can."""
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
