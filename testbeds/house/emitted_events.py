"""The lifecycle events that the packages emit: read from their sources, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sk_observability import EventName
from source_tree import PACKAGES, parse

_MAKERS = ("Fact", "LifecycleEvent")
"""What else takes an event's name, as its first argument or by keyword."""


class Emitted(NamedTuple):
    """One call that makes an event. It has no names where it passes on what it was given."""

    path: Path
    line: int
    names: tuple[str, ...]
    level: str


def emitted() -> Iterator[Emitted]:
    """Every call of the packages that makes an event."""
    for package in PACKAGES:
        for path in package.sources():
            if "testing" not in path.relative_to(package.source).parts:
                yield from emitted_in(path)


def emitted_in(path: Path) -> Iterator[Emitted]:
    """Those of one file, by line."""
    tree = parse(path)
    known = _texts_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _makes_event(node):
            name = _keyword(node, "name") or (node.args[0] if node.args else None)
            level = next(iter(_texts(_keyword(node, "level"), known)), "info")
            yield Emitted(path, node.lineno, _texts(name, known), level)


def _makes_event(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr="emit", value=rail):
            return ast.unparse(rail).endswith("log")  # a batch's flow emits payloads
        case ast.Name(id=name):
            return name in _MAKERS
    return False


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _texts(node: ast.expr | None, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The texts that an expression may be; none where its file does not say."""
    match node:
        case ast.Constant(value=str(text)):
            return (text,)
        case ast.Name(id=name):
            return known.get(name, ())
        case ast.Attribute(value=ast.Name(id="EventName"), attr=member):
            return (EventName[member].value,)
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, known) + _texts(other, known)
    return ()


def _texts_of(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """The names that a file gives to texts, anywhere in it."""
    found: dict[str, tuple[str, ...]] = {}
    for node in ast.walk(tree):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                found[name] = found.get(name, ()) + _texts(value, {})
    return found
