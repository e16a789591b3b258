"""Import a module root and its submodules."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from importlib.machinery import NamespaceLoader
from types import ModuleType

from sk_kernel._guard.forked import OwnProcess
from sk_kernel._guard.whereabouts import line_of, raised_at
from sk_kernel.errors import DefinitionError, DiscoveryError


class Roots:
    """Imports module roots, each with its submodules in the order of their names.

    Submodules that hold tests are skipped: they may need packages that only tests have, and their
    declarations are not part of the application.
    """

    def __init__(self) -> None:
        #: The errors of the modules that could not be imported.
        self.wrong: list[DefinitionError | DiscoveryError] = []
        #: The names of the test modules that were skipped.
        self.tests: list[str] = []

    def below(self, root: str) -> Iterator[ModuleType]:
        """Yield a module and its submodules, except those that cannot be imported."""
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
        # Any exception at import comes from the user's module; the cause keeps its traceback.
        problem = f"{error}{line_of(error)}"
        raise DiscoveryError(name, type(error).__name__, problem) from error
    if isinstance(getattr(module.__spec__, "loader", None), NamespaceLoader):
        raise DiscoveryError(name, "", _no_package(name, [*module.__path__]))
    return module


def _no_package(name: str, folders: list[str]) -> str:
    """Describe a folder that Python imports as a namespace package: any file in it would be run."""
    problem = f"it is the folder {' and '.join(folders)}, without an __init__.py"
    last = name.rpartition(".")[2]
    for folder in folders:
        if os.path.isfile(os.path.join(folder, last, "__init__.py")):
            return f"{problem}, and not the package {last} in it: run in that folder"
    return f"{problem}: add one if it is a package, or name the modules in it that are meant"
