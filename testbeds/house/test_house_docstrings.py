"""Every name that a package offers says what it is.

sk-fundload is an application: its interface is its command.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import PACKAGES, Package, absolute, expect_none, parse

LIBRARIES = [package for package in PACKAGES if package.name != "sk-fundload"]
each_library = pytest.mark.parametrize("package", LIBRARIES, ids=lambda package: package.name)

MODULES = {
    ".".join(path.relative_to(package.root / "src").with_suffix("").parts): path
    for package in PACKAGES
    for path in package.sources()
}


@each_library
def test_every_public_name_has_a_docstring(package: Package) -> None:
    expect_none(
        f"{module}.{name} has no docstring"
        for module, path in MODULES.items()
        if module.split(".")[0] == package.module
        for name in offered(path)
        if not described(module, name)
    )


def test_a_name_is_found_where_it_is_defined_and_not_where_it_passes_through() -> None:
    assert described("sk_kernel.__init__", "node")
    assert described("sk_kernel.runtime", "SINK")
    assert not described("sk_kernel._declare.decorators", "_label.own")


def offered(path: Path) -> Iterator[str]:
    """The names of a module's ``__all__``."""
    for statement in parse(path).body:
        match statement:
            case ast.Assign(targets=[ast.Name("__all__")], value=value):
                yield from (name for name in ast.literal_eval(value) if name != "__version__")


def described(module: str, name: str) -> bool:
    """Whether the definition of a name, in the module or where that has it from, is described."""
    path = MODULES.get(module) or MODULES.get(f"{module}.__init__")
    if path is None:
        return False
    body = list(statements(parse(path).body))
    for statement, following in zip(body, [*body[1:], None], strict=True):
        match statement:
            case ast.ImportFrom(module=origin, names=names, level=level):
                for alias in names:
                    if (alias.asname or alias.name) == name:
                        return described(absolute(path, origin, level), alias.name)
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if statement.name == name and ast.get_docstring(statement):
                    return True
            case ast.Assign(targets=[ast.Name(id=target)]) | ast.AnnAssign(target=ast.Name(target)):
                if target == name:
                    return is_text(following)
    return False


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those for type checkers among them."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from statement.body


def is_text(statement: ast.stmt | None) -> bool:
    """Whether a statement is a text that stands by itself: the docstring of what is before."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
