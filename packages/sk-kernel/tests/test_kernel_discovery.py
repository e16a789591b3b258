"""Discovery: what is found under module roots, in which order, and what is said of a bad module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import DefinitionError, DiscoveryError, PreflightError
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.discovery import discover

NODE = "from sk_kernel import node\n@node\ndef {0}(x: int) -> str: ...\n"


@pytest.fixture
def package(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, str]]:
    """An importable, empty package, of a name that no other test has."""
    name = f"discovered_{abs(hash(request.node.nodeid))}"
    root = tmp_path / name
    root.mkdir()
    (root / "__init__.py").write_text("")
    sys.path.insert(0, str(tmp_path))
    yield root, name
    sys.path.remove(str(tmp_path))
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        del sys.modules[module]


def test_submodules_are_searched_by_name_and_objects_come_as_defined(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "zeta.py").write_text(NODE.format("z"))
    (root / "alpha.py").write_text(NODE.format("b") + NODE.format("a"))
    (root / "deep").mkdir()
    (root / "deep" / "__init__.py").write_text("")
    (root / "deep" / "inner.py").write_text(NODE.format("i"))
    (root / "__main__.py").write_text("raise SystemExit('not to be imported')")
    assert list(discover([name]).nodes) == ["b", "a", "i", "z"]


def test_an_object_is_collected_once_and_where_it_is_defined(package: tuple[Path, str]) -> None:
    root, name = package
    (root / "inner.py").write_text(NODE.format("f") + "again = f\n")
    (root / "__init__.py").write_text(f"from {name}.inner import f\n__all__ = ['f']\n")
    assert list(discover([name, f"{name}.inner"]).nodes) == ["f"]


def test_a_second_one_of_a_name_in_a_module_does_not_replace_the_first_in_silence(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "__init__.py").write_text(NODE.format("f") * 2)
    with pytest.raises(DefinitionError, match=r"\.f': would replace the one above"):
        discover([name])


def test_a_module_that_is_reloaded_replaces_what_it_declares(package: tuple[Path, str]) -> None:
    root, name = package
    (root / "__init__.py").write_text(NODE.format("f"))
    discover([name])
    importlib.reload(sys.modules[name])
    assert list(discover([name]).nodes) == ["f"]


def test_a_subclass_of_what_is_declared_is_not_declared(declare: Any) -> None:
    module = declare(
        """
        @node
        class Base:
            def __call__(self, a: A) -> B: ...

        class Derived(Base): ...
        """
    )
    assert list(discover([module.__name__]).nodes) == ["base"]


def test_odd_objects_in_a_module_are_left_alone(declare: Any) -> None:
    module = declare(
        """
        class Proxy:
            def __getattribute__(self, name): raise RuntimeError(name)
        proxy = Proxy()

        @node
        def f(a: A) -> B: ...
        """
    )
    assert list(discover([module.__name__]).nodes) == ["f"]


def test_two_of_one_name_are_a_fault(declare: Any) -> None:
    module = declare(
        """
        @node(name="same")
        def f(a: A) -> B: ...
        @node(name="same")
        def g(a: A) -> B: ...
        """
    )
    with pytest.raises(PreflightError) as caught:
        discover([module.__name__])
    (fault,) = caught.value.faults
    assert (fault.path, fault.category) == ("same", "duplicate")
    assert fault.got == f"{module.__name__}.f and {module.__name__}.g"


@pytest.mark.parametrize("around", ["twice", "functools.cache", "functools.lru_cache(8)"])
def test_a_decorator_around_the_declaring_one_is_refused(declare: Any, around: str) -> None:
    module = declare(
        f"""
        import functools
        def twice(function):
            @functools.wraps(function)
            def wrapper(x): return function(function(x))
            return wrapper
        @{around}
        @node
        def f(a: A) -> A: ...
        """
    )
    with pytest.raises(DefinitionError, match="must be the outermost"):
        discover([module.__name__])


@pytest.mark.parametrize("root", ["no_such_module_anywhere", ".relative", ""])
def test_a_root_that_cannot_be_imported_is_named(root: str) -> None:
    with pytest.raises(DiscoveryError) as caught:
        discover([root])
    assert caught.value.module == root


def test_every_root_that_cannot_be_imported_is_named(package: tuple[Path, str]) -> None:
    _, name = package
    with pytest.raises(DiscoveryError) as caught:
        discover(["no_such_module", name, f"{name}.neither"])
    error = caught.value
    assert [each.module for each in (error, *error.further)] == [
        "no_such_module",
        f"{name}.neither",
    ]


def test_what_a_module_raises_at_import_is_wrapped_with_its_cause(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "bad.py").write_text("raise OSError('disk on fire')")
    with pytest.raises(DiscoveryError, match="OSError: disk on fire") as caught:
        discover([name])
    assert caught.value.module == f"{name}.bad"
    assert isinstance(caught.value.__cause__, OSError)


def test_a_wrong_declaration_in_a_module_stays_the_definition_error_that_it_is(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "bad.py").write_text("from sk_kernel import node\n@node\ndef f(x: int): ...\n")
    with pytest.raises(DefinitionError, match="node 'f': f has no return annotation"):
        discover([name])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\nraise SystemExit(3)\n", "SystemExit: 3"),
        ("\nx = Unheard\n", "NameError: name 'Unheard' is not defined"),
        ("from sk_kernel import node\n@node\ndef f(x) -> str: ...\n", "has no annotation"),
    ],
)
def test_what_a_module_does_wrong_is_told_with_its_line(
    package: tuple[Path, str], text: str, said: str
) -> None:
    root, name = package
    (root / "wrong.py").write_text(text)
    with pytest.raises((DiscoveryError, DefinitionError)) as caught:
        discover([name])
    assert said in str(caught.value)
    assert str(caught.value).endswith(f"({root / 'wrong.py'}, line 2)")


def test_every_wrong_declaration_of_every_module_is_told_with_its_line(
    package: tuple[Path, str],
) -> None:
    root, name = package
    wrong = "@node\ndef f(x): ...\n"
    (root / "alpha.py").write_text(f"from sk_kernel import node, state\n{wrong}{wrong}")
    (root / "beta.py").write_text(
        f"from {name}.alpha import f\nfrom sk_kernel import state\n@state\nclass S: ...\n"
    )
    (root / "gamma.py").write_text("raise OSError('disk on fire')\n")
    (root / "zeta.py").write_text(NODE.format("f") + "@node(name='f')\ndef g(x: int) -> str: ...")
    with pytest.raises((DiscoveryError, DefinitionError)) as caught:
        discover([name])
    error = caught.value
    places = {str(each).rpartition(f"({root}/")[2] for each in (error, *error.further)}
    assert places == {
        "alpha.py, line 2)",
        "alpha.py, line 4)",
        "beta.py, line 3)",
        "gamma.py, line 1)",
        "zeta.py, line 4)",
    }


def test_what_several_modules_cannot_be_imported_for_is_told_once(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "alpha.py").write_text("raise OSError('disk on fire')\n")
    (root / "beta.py").write_text(f"import {name}.alpha\n")
    with pytest.raises(DiscoveryError) as caught:
        discover([name])
    assert (caught.value.module, caught.value.further) == (f"{name}.alpha", ())


def test_a_wrong_declaration_is_told_of_whenever_it_is_looked_for(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "wrong.py").write_text("from sk_kernel import node\n@node\ndef f(x): ...\n")
    for _ in range(2):
        with pytest.raises(DefinitionError, match="'x' has no annotation"):
            discover([name])


def test_outside_of_a_discovery_a_wrong_declaration_raises_where_it_stands(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "wrong.py").write_text("from sk_kernel import node\n@node\ndef f(x): ...\n")
    with pytest.raises(DefinitionError, match="'x' has no annotation"):
        importlib.import_module(f"{name}.wrong")


def test_a_folder_is_refused_that_holds_the_package_of_its_name(package: tuple[Path, str]) -> None:
    inner, name = package
    outer = inner.parent / "outer" / name
    outer.mkdir(parents=True)
    inner.rename(outer / name)
    (outer / "script.py").write_text("raise SystemExit('not to be run')")
    sys.path.insert(0, str(outer.parent))
    try:
        with pytest.raises(DiscoveryError) as caught:
            discover([name])
    finally:
        sys.path.remove(str(outer.parent))
    assert (caught.value.module, caught.value.cause_type) == (name, "")
    assert f"{outer}, without an __init__.py, and not the package" in caught.value.problem


def test_a_folder_of_modules_is_refused_and_a_module_in_it_is_not(
    package: tuple[Path, str],
) -> None:
    root, name = package
    (root / "__init__.py").unlink()
    (root / "part").mkdir()
    (root / "part" / "nodes.py").write_text(NODE.format("f"))
    for folder in (name, f"{name}.part"):
        with pytest.raises(DiscoveryError, match=r"without an __init__\.py: add one"):
            discover([folder])
    assert list(discover([f"{name}.part.nodes"]).nodes) == ["f"]


def test_a_package_in_a_namespace_is_looked_through(package: tuple[Path, str]) -> None:
    root, name = package
    (root / "__init__.py").unlink()
    (root / "part").mkdir()
    (root / "part" / "__init__.py").write_text("")
    (root / "part" / "nodes.py").write_text(NODE.format("f"))
    assert list(discover([f"{name}.part"]).nodes) == ["f"]


@pytest.mark.parametrize("tests", ["tests", "conftest", "test_nodes"])
def test_tests_below_a_module_are_not_imported(package: tuple[Path, str], tests: str) -> None:
    root, name = package
    (root / "nodes.py").write_text(NODE.format("f"))
    (root / f"{tests}.py").write_text("raise SystemExit('not to be imported')")
    catalogue = discover([name])
    assert (list(catalogue.nodes), catalogue.tests) == (["f"], [f"{name}.{tests}"])


def test_tests_that_are_named_are_looked_into(package: tuple[Path, str]) -> None:
    root, name = package
    (root / "tests.py").write_text(NODE.format("f"))
    assert list(discover([f"{name}.tests"]).nodes) == ["f"]


def test_tests_passed_over_are_named_where_something_is_missing(
    package: tuple[Path, str], spec_of: Any
) -> None:
    root, name = package
    (root / "test_ends.py").write_text("")
    with pytest.raises(PreflightError, match=f"{name}.test_ends was taken for tests"):
        ApplicationContext(spec_of(sys.modules.get(name) or importlib.import_module(name)))
