"""What every package has, and what its ``__init__`` holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from packaging.version import Version
from source_tree import BY_MODULE, PACKAGES, ROOT, Package, expect_none, parse, where

each_package = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
each_init = pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in package.sources() if path.name == "__init__.py"],
    ids=lambda path: ".".join(path.parts[path.parts.index("src") + 1 : -1]),
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|NotImplementedError)\b")


@each_package
def test_a_package_is_marked_as_typed(package: Package) -> None:
    assert (package.source / "py.typed").is_file()


@each_package
def test_a_package_has_a_readme_that_bears_its_name(package: Package) -> None:
    assert (package.root / "README.md").read_text("utf-8").startswith(f"# {package.name}\n")


@each_package
def test_a_package_bears_the_licence_of_the_repository(package: Package) -> None:
    assert (package.root / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@each_package
def test_a_changelog_has_an_entry_for_the_version(package: Package) -> None:
    text = (package.root / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## {re.escape(package.version)}( |$)", text, re.MULTILINE)


@each_package
def test_a_packages_errors_are_all_offered_by_errors(package: Package) -> None:
    """Those that descend from an error which a package offers; others are caught where they are."""
    offered = errors_offered(package)
    known = offered.union(*map(errors_offered, PACKAGES))
    expect_none(
        f"{where(path, node.lineno)} {node.name} is not in {package.module}.errors"
        for path in package.sources()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ClassDef) and bases_of(node) & known and node.name not in offered
    )


@each_init
def test_every_error_that_an_init_offers_is_of_its_packages_errors(path: Path) -> None:
    # An AssertionError is of a test kit: a test's failure, and nothing to be caught.
    parts = path.parent.parts[path.parts.index("src") + 1 :]
    module = import_module(".".join(parts))
    errors = import_module(f"{parts[0]}.errors")
    offered = {name: getattr(module, name) for name in listed_names(path)}
    expect_none(
        f"{'.'.join(parts)}.{name}"
        for name, what in offered.items()
        if isinstance(what, type)
        and issubclass(what, BaseException)
        and not issubclass(what, AssertionError)
        and what.__module__.startswith(f"{parts[0]}.")
        and getattr(errors, name, None) is not what
    )


@each_package
def test_a_sibling_is_required_by_a_compatible_range_that_admits_it(package: Package) -> None:
    siblings = {sibling.name: sibling for sibling in PACKAGES}
    for requirement in package.requirements:
        if requirement.name in siblings:
            assert [clause.operator for clause in requirement.specifier] == ["~="], requirement
            assert Version(siblings[requirement.name].version) in requirement.specifier


def test_all_packages_support_the_same_pythons() -> None:
    def pythons(package: Package) -> tuple[str, list[str]]:
        classifiers = package.project["classifiers"]
        return package.project["requires-python"], [c for c in classifiers if ":: 3." in c]

    assert len({str(pythons(package)) for package in BY_MODULE.values()}) == 1


@each_init
def test_an_init_holds_only_its_docstring_imports_and_names(path: Path) -> None:
    strangers = [node for node in parse(path).body if not belongs_in_init(node)]
    expect_none(f"{where(path, node.lineno)} {ast.unparse(node)[:60]}" for node in strangers)


@each_init
def test_all_lists_exactly_the_public_names_of_an_init(path: Path) -> None:
    listed = [name for name in listed_names(path) if name != "__version__"]
    assert sorted(listed) == sorted({name for name in bound_names(path) if name[0] != "_"})


@each_init
def test_every_public_name_can_be_had(path: Path) -> None:
    parts = path.parent.parts
    module = import_module(".".join(parts[parts.index("src") + 1 :]))
    expect_none(name for name in listed_names(path) if not hasattr(module, name))


@each_package
def test_the_source_bears_no_mark_of_unfinished_work(package: Package) -> None:
    expect_none(
        f"{where(path, number)} {line.strip()}"
        for path in package.sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if UNFINISHED.search(line)
    )


def errors_offered(package: Package) -> set[str]:
    """The names of the errors that a package's ``errors.py`` defines, or imports to offer them."""
    names: set[str] = set()
    for node in parse(package.source / "errors.py").body:
        match node:
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.ImportFrom(names=aliases):
                names |= {alias.name for alias in aliases if alias.asname == alias.name}
    return {name for name in names if name.endswith("Error")}


def bases_of(node: ast.ClassDef) -> set[str]:
    """The names of a class's bases, without the modules that they are of."""
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def belongs_in_init(node: ast.stmt) -> bool:
    """Whether ``node`` is a docstring, an import, ``__all__`` or ``__version__``."""
    match node:
        case ast.If(test=ast.Attribute(attr="TYPE_CHECKING"), body=body, orelse=[]):
            return all(isinstance(inner, ast.ImportFrom) for inner in body)
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(str())):
            return True
        case ast.Assign(targets=[ast.Name("__all__" | "__version__")]):
            return True
    return False


def bound_names(path: Path) -> Iterator[str]:
    """The names that the statements of an ``__init__`` bind in its namespace."""
    body = parse(path).body
    for_types = [inner for node in body if isinstance(node, ast.If) for inner in node.body]
    for statement in [*body, *for_types]:
        match statement:
            case ast.ImportFrom(module="__future__"):
                continue
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def listed_names(path: Path) -> list[str]:
    """The value of ``__all__``; nothing where there is none."""
    for node in parse(path).body:
        match node:
            case ast.Assign(targets=[ast.Name("__all__")], value=value):
                names: list[str] = ast.literal_eval(value)
                return names
    return []
