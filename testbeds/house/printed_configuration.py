"""Every field of a configuration, as the models of `sk_config` have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sk_config import config_schema

_SCHEMA = config_schema()
_HEAD = "| key | type | default | description |\n|---|---|---|---|"
_UNITS = ((1 << 20, "MiB"), (1 << 10, "KiB"))


def configuration_reference() -> str:
    """A section for each block, in the order in which a file has them."""
    return "\n\n".join(_section(name) for name in _PATHS)


def _section(name: str) -> str:
    model = _SCHEMA if not name else _SCHEMA["$defs"][name]
    required = model.get("required", ())
    rows = [_row(key, field, key in required) for key, field in model["properties"].items()]
    return f"### {_title(name)}\n\n{model['description']}\n\n" + "\n".join([_HEAD, *rows])


def _title(name: str) -> str:
    return ", ".join(f"`{path}`" for path in _PATHS[name]) if name else "The file"


def _anchor(name: str) -> str:
    """The anchor of a block's section, as GitHub and MyST make it of the title."""
    return re.sub(r"[^\w -]", "", _title(name).lower()).replace(" ", "-")


def _blocks(path: str, model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each block with its path, outer ones first."""
    if not path:
        yield "", ""
    for key, field in model["properties"].items():
        here = f"{path}.{key}" if path else key
        for name, suffix in _references(field):
            yield here + suffix, name
            yield from _blocks(here + suffix, _SCHEMA["$defs"][name])


def _references(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The blocks that a field holds, each with the suffix of its path."""
    match field:
        case {"$ref": str(reference)}:
            yield reference.rpartition("/")[2], ""
        case {"anyOf": options}:
            for option in options:
                yield from _references(option)
        case {"type": "array", "items": items}:
            yield from ((name, f"[]{suffix}") for name, suffix in _references(items))
        case {"type": "object", "additionalProperties": dict(values)}:
            yield from ((name, f".NAME{suffix}") for name, suffix in _references(values))


def _row(key: str, field: dict[str, Any], required: bool) -> str:
    default = "_required_" if required else _default(key, field)
    text = field.get("description", "").replace("|", "\\|")
    return f"| `{key}` | {_type(field)} | {default} | {text} |"


def _default(key: str, field: dict[str, Any]) -> str:
    value = field.get("default")
    if isinstance(value, dict) and value:
        return "defaults of the block"
    return f"`{json.dumps(value)}`{_in_units(value) if key.endswith('_bytes') else ''}"


def _in_units(value: Any) -> str:
    """A number of bytes in the largest unit that divides it."""
    for size, unit in _UNITS:
        if value and value % size == 0:
            return f" ({value // size} {unit})"
    return ""


def _type(field: dict[str, Any]) -> str:
    match field:
        case {"$ref": str(reference)}:
            return f"[block](#{_anchor(reference.rpartition('/')[2])})"
        case {"anyOf": options}:
            return " or ".join(map(_type, options))
        case {"const": value}:
            return f"`{value}`"
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": {"type": "string"}}:
            return "list of strings"
        case {"type": "array", "items": items}:
            return f"list: {_type(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"mapping: name to {_type(values)}"
        case {"type": "object"}:
            return "settings"
        case {"type": "null"}:
            return "`null`"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "string", "maxLength": most}:
            return f"string (at most {most} characters)"
        case {"type": "string"}:
            return "string"
        case {"type": "integer" | "number"}:
            return _number(field)
    return "anything"


def _number(field: dict[str, Any]) -> str:
    least, most = field["minimum"], field.get("maximum")
    bounds = f"at least {least:,}" if most is None else f"{least:,} to {most:,}"
    return f"{field['type']} ({bounds})".replace(",", "\u00a0")


def _paths_of_blocks() -> dict[str, list[str]]:
    """Every block by the name of its model, with the paths that it stands at."""
    paths: dict[str, list[str]] = {}
    for path, name in _blocks("", _SCHEMA):
        paths.setdefault(name, []).append(path)
    return paths


_PATHS = _paths_of_blocks()
