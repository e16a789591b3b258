"""Every field of a configuration, as the models of `sk_config` have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sk_config import config_schema

_SCHEMA = config_schema()
_HEAD = "| key | takes | default | is |\n|---|---|---|---|"


def configuration_reference() -> str:
    """A section for each block, in the order in which a file has them."""
    blocks: dict[str, list[str]] = {}
    for path, name in _blocks("", _SCHEMA):
        blocks.setdefault(name, []).append(path)
    return "\n\n".join(_section(name, paths) for name, paths in blocks.items())


def _section(name: str, paths: list[str]) -> str:
    model = _SCHEMA if not name else _SCHEMA["$defs"][name]
    required = model.get("required", ())
    rows = [_row(key, field, key in required) for key, field in model["properties"].items()]
    title = ", ".join(f"`{path}`" for path in paths) if name else "The file"
    return f"### {title}\n\n{model['description']}\n\n" + "\n".join([_HEAD, *rows])


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
    """The blocks that a field holds, with what its path has behind it."""
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
    default = "_required_" if required else _default(field)
    text = field.get("description", "").replace("|", "\\|")
    return f"| `{key}` | {_takes(field)} | {default} | {text} |"


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    if isinstance(value, dict) and value:
        return "its own"
    return f"`{json.dumps(value)}`"


def _takes(field: dict[str, Any]) -> str:
    match field:
        case {"$ref": _}:
            return "a block"
        case {"anyOf": options}:
            return " or ".join(map(_takes, options))
        case {"const": value}:
            return f"`{value}`"
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"a list: {_takes(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"by name: {_takes(values)}"
        case {"type": "object"}:
            return "a mapping"
        case {"type": "null"}:
            return "`null`"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "string", "maxLength": most}:
            return f"a string of at most {most} characters"
        case {"type": "string"}:
            return "a string"
        case {"type": "integer" | "number"}:
            return _number(field)
    return "anything"


def _number(field: dict[str, Any]) -> str:
    what = "an integer" if field["type"] == "integer" else "a number"
    least, over, most = (field.get(k) for k in ("minimum", "exclusiveMinimum", "maximum"))
    bounds = [f"from {least:,}"] if least is not None else []
    bounds += [f"over {over:,}"] if over is not None else []
    bounds += [f"to {most:,}"] if most is not None else []
    return " ".join([what, *bounds]).replace(",", "\u00a0")
