"""Sleeps in tests: calls that let time pass and wait for nothing that is told."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

_SLEEPS = ("time.sleep", "asyncio.sleep")
_EVENTS = ("threading.Event", "multiprocessing.Event", "asyncio.Event")
_WRITTEN = re.compile(r"\b(time|asyncio)\.sleep\((?!0\))")


class Sleep(NamedTuple):
    """One call, and the function that it is in, by its qualified name (empty in a module)."""

    line: int
    function: str


def sleeps_in(tree: ast.Module) -> list[Sleep]:
    """The sleeps of a module, and of the programs whose text it has, in order.

    A sleep is a call of ``time.sleep``, of ``asyncio.sleep`` with more than 0, and a wait with a
    timeout on an event that nobody can set, whatever names these have here.
    """
    names = _imported(tree)
    silent = set(_silent(tree, names))
    return sorted(
        Sleep(line, function)
        for node, function in _with_functions(tree, "")
        for line in _sleeps(node, names, silent)
    )


def _sleeps(node: ast.AST, names: dict[str, str], silent: set[str]) -> Iterator[int]:
    match node:
        case ast.Call(func=called, args=arguments) if _dotted(called, names) in _SLEEPS:
            if ast.dump(ast.Tuple(arguments)) != ast.dump(ast.Tuple([ast.Constant(0)])):
                yield node.lineno
        case ast.Call(func=ast.Attribute(event, "wait"), args=args, keywords=words):
            if (args or words) and _is_silent(event, names, silent):
                yield node.lineno
        case ast.Call(func=called, args=[ast.Call(func=ast.Attribute(event, "wait")), *_]):
            if _dotted(called, names) == "asyncio.wait_for" and _is_silent(event, names, silent):
                yield node.lineno
        case ast.Call(func=called, args=[ast.List([]), ast.List([]), ast.List([]), _]):
            if _dotted(called, names) == "select.select":
                yield node.lineno
        case ast.Constant(str(text)) if "sleep" in text or "wait" in text:
            yield from (node.lineno for _ in _sleeps_of_program(text))
        case ast.JoinedStr(values=values):
            text = "".join(str(v.value) if isinstance(v, ast.Constant) else "_0" for v in values)
            yield from (node.lineno for _ in _sleeps_of_program(text))


def _sleeps_of_program(text: str) -> list[Sleep]:
    """The sleeps in a text that is a program in Python, or holds parts of one."""
    try:
        return sleeps_in(ast.parse(textwrap.dedent(text)))
    except (SyntaxError, ValueError):
        return [Sleep(0, "") for _ in _WRITTEN.finditer(text)]


def _with_functions(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Each node, and the function that it is in; the texts within an f-string go with that."""
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{function}.{child.name}" if function else child.name
        yield child, inside
        if not isinstance(child, ast.JoinedStr):
            yield from _with_functions(child, inside)


def _imported(tree: ast.Module) -> dict[str, str]:
    """Each name that an import binds, and the dotted name that it stands for."""
    found = dict[str, str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {one.asname: one.name for one in names if one.asname}
            case ast.ImportFrom(module=str(module), names=names):
                found |= {one.asname or one.name: f"{module}.{one.name}" for one in names}
    return found


def _dotted(called: ast.expr, names: dict[str, str]) -> str:
    match called:
        case ast.Name(name):
            return names.get(name, name)
        case ast.Attribute(base, attribute):
            return f"{_dotted(base, names)}.{attribute}"
    return ""


def _is_event(value: ast.expr, names: dict[str, str]) -> bool:
    return isinstance(value, ast.Call) and _dotted(value.func, names) in _EVENTS


def _is_silent(value: ast.expr, names: dict[str, str], silent: set[str]) -> bool:
    return _is_event(value, names) or _own_name(value) in silent


def _own_name(value: ast.AST) -> str:
    match value:
        case ast.Name(name) | ast.Attribute(_, name):
            return name
    return ""


def _silent(tree: ast.Module, names: dict[str, str]) -> Iterator[str]:
    """The names of events that are only waited for: nobody here sets them or hands them on."""
    waited = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        if node.attr == "wait"
    }
    used = {
        _own_name(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and id(node) not in waited
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target, value in _bound(node):
                if _is_event(value, names) and (name := _own_name(target)) not in used:
                    yield name


def _bound(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        match target, node.value:
            case ast.Tuple(targets), ast.Tuple(values):
                yield from zip(targets, values, strict=False)
            case _, ast.expr() as value:
                yield target, value
