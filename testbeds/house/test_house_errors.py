"""Every exception that a package offers pickles and copies: with its type, words and fields."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import types
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from source_tree import PACKAGES, Package


def public_modules(package: Package) -> Iterator[types.ModuleType]:
    """The package, and the modules in it that do not begin with an underscore."""
    top = import_module(package.module)
    yield top
    for found in walk_packages(top.__path__, f"{package.module}."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield import_module(found.name)


def public_errors(package: Package) -> set[type[BaseException]]:
    """The classes of exceptions that are named in them, and are the package's own."""
    return {
        found
        for module in public_modules(package)
        for name in getattr(module, "__all__", dir(module))
        if not name.startswith("_") and isinstance(found := getattr(module, name), type)
        if issubclass(found, BaseException) and found.__module__.startswith(f"{package.module}.")
    }


ERRORS = sorted((e for package in PACKAGES for e in public_errors(package)), key=repr)


@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])  # noqa: S301
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_pickles_and_copies_as_it_is(
    error: type[BaseException], again: Callable[[BaseException], BaseException]
) -> None:
    original = one_of(error)
    assert described(again(original)) == described(original)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_errors_of_each_package_are_looked_at(package: Package) -> None:
    assert public_errors(package) & {*ERRORS}


def one_of(cls: type[Any]) -> Any:
    """An instance, each parameter or field given, by its type."""
    fields = getattr(cls, "_fields", None)  # where the constructor does not name them
    fields = getattr(cls, "__struct_fields__", fields)
    target = cls if fields is not None else cls.__init__
    hints = typing.get_type_hints(target, None, names_for(cls))
    names = fields if fields is not None else hints.keys() - {"return"}
    return cls(**{name: sample(hints[name]) for name in names})


def names_for(cls: type[Any]) -> dict[str, Any]:
    """What hints of a class may name: also classes that only a type checker imports there."""
    top = cls.__module__.partition(".")[0]
    modules = [module for name, module in sys.modules.items() if name.startswith(f"{top}.")]
    found = [each for module in modules for each in vars(module).values()]
    classes = {each.__name__: each for each in found if isinstance(each, type)}
    return {**classes, **vars(sys.modules[cls.__module__])}


def sample(hint: Any) -> Any:
    """A value of a type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return sample(arguments[0])
    if origin is os.PathLike:
        return Path("some", "text")
    if arguments:
        inner = [sample(each) for each in arguments if each is not Ellipsis]
        if len(inner) == 2 and hasattr(origin, "keys"):
            return dict([inner])
        return tuple(inner)
    if hint in (str, object):
        return "some text"
    if hint in (int, float, bool):
        return hint(3)
    if hint is BaseException:
        return ValueError("some text")
    if issubclass(hint, Enum):
        return next(iter(hint))
    return one_of(hint)  # a class with fields, or another error


def described(value: Any) -> Any:
    """What there is to compare: errors themselves are equal to none but themselves."""
    if not isinstance(value, BaseException):
        return value
    fields = {name: described(field) for name, field in vars(value).items()}
    return type(value), str(value), value.args, fields
