"""Docstrings and signatures as Markdown."""

from __future__ import annotations

import inspect
import re

_ROLE = re.compile(r":[a-z]+:`~?\.?([^`]+)`")
_LITERAL = re.compile(r"``([^`]+)``")
_FIELD = re.compile(r"^:(param|raises|returns)\s*([^:]*):\s*(.*)$")
_TITLES = {"param": "{}", "raises": "raises {}", "returns": "returns"}
_WIDTH = 88


def as_markdown(docstring: str) -> str:
    """The docstring; its fields (``:param x:``, ``:raises X:``) as a list behind its text."""
    lines: list[str] = []
    inside = False
    for line in inspect.cleandoc(docstring).splitlines():
        field = _FIELD.match(line)
        if field:
            lines += [_item(*field.groups())] if inside else ["", _item(*field.groups())]
            inside = True
        else:
            lines.append(f"  {line.strip()}" if inside and line.strip() else line)
    text = _LITERAL.sub(r"`\1`", _ROLE.sub(r"`\1`", "\n".join(lines)))
    return re.sub(r"::$", ":", text, flags=re.MULTILINE).strip()


def _item(kind: str, name: str, text: str) -> str:
    names = ", ".join(f"`{each.strip()}`" for each in name.split(",")) if name.strip() else ""
    return f"- {_TITLES[kind].format(names)}: {text}"


def wrapped(signature: str) -> str:
    """A signature; where it is long, with a line for each parameter."""
    if len(signature) <= _WIDTH:
        return signature
    head, _, rest = signature.partition("(")
    depth, parameters = 1, [""]
    for index, character in enumerate(rest):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            lines = "".join(f"    {parameter.strip()},\n" for parameter in parameters)
            return f"{head}(\n{lines}{rest[index:]}"
        if character == "," and depth == 1:
            parameters.append("")
        else:
            parameters[-1] += character
    return signature
