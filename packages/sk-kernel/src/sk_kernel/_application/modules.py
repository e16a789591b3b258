"""Importing a module root and what is below it."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from importlib.machinery import NamespaceLoader
from types import ModuleType

from sk_kernel._application.forked import OwnProcess
from sk_kernel._application.whereabouts import line_of, raised_at
from sk_kernel.errors import DefinitionError, DiscoveryError


class Roots:
    """Imports module roots, each with its submodules by name.

    Of what is below a root, tests are passed over: they need what only tests have, and what they
    declare is for them.
    """

    def __init__(self) -> None:
        #: Why modules cannot be looked into.
        self.wrong: list[DefinitionError | DiscoveryError] = []
        #: The names of the modules that were passed over.
        self.tests: list[str] = []

    def below(self, root: str) -> Iterator[ModuleType]:
        """A module and those below it, as far as they can be imported."""
        try:
            module = _import(root)
        except (DefinitionError, DiscoveryError) as error:
            self.wrong.append(error)
            return
        yield module
        for name in sorted(m.name for m in pkgutil.iter_modules(getattr(module, "__path__", ()))):
            if _is_test(name):
                self.tests.append(f"{root}.{name}")
            elif name != "__main__":
                yield from self.below(f"{root}.{name}")


def _is_test(name: str) -> bool:
    return name in ("tests", "conftest") or name.startswith("test_")


def _import(name: str) -> ModuleType:
    try:
        with OwnProcess():
            module = importlib.import_module(name)
    except DefinitionError as error:
        raise error.at(raised_at(error)) from error
    except (Exception, SystemExit) as error:
        # Whatever a user's module raises at import is theirs; the cause keeps their traceback.
        problem = f"{error}{line_of(error)}"
        raise DiscoveryError(name, type(error).__name__, problem) from error
    if isinstance(getattr(module.__spec__, "loader", None), NamespaceLoader):
        raise DiscoveryError(name, "", _no_package(name, [*module.__path__]))
    return module


def _no_package(name: str, folders: list[str]) -> str:
    """What to say of a folder that Python takes for a package: any file in it would be run."""
    problem = f"it is the folder {' and '.join(folders)}, without an __init__.py"
    last = name.rpartition(".")[2]
    for folder in folders:
        if os.path.isfile(os.path.join(folder, last, "__init__.py")):
            return f"{problem}, and not the package {last} in it: run in that folder"
    return f"{problem}: add one if it is a package, or name the modules in it that are meant"
