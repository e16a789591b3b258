"""Run inside an environment: say, as JSON, what is installed in it and what can be imported.

    python -I install_probe.py MODULE ...

``distributions`` has the version of each, ``origins`` the file of each named package, and
``failed`` the modules of these that cannot be imported, each with what was missing. It needs
nothing but the standard library.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib.metadata import distributions
from itertools import chain


def main(modules: list[str]) -> None:
    """Look, and write what was found."""
    installed = {normal(found.metadata["Name"]): found.version for found in distributions()}
    failed: dict[str, str] = {}
    origins: dict[str, str] = {}
    for top in modules:
        for name in chain([top], parts(top)):  # Lazily: the parts are known once it is imported.
            try:
                importlib.import_module(name)
            except ImportError as error:
                failed[name] = error.name or str(error)
        origins[top] = getattr(sys.modules.get(top), "__file__", None) or "nowhere"
    found = {"distributions": installed, "origins": origins, "failed": failed}
    sys.stdout.write(json.dumps(found))


def parts(top: str) -> Iterator[str]:
    """All modules of a package, those that are run and not imported excepted."""
    path = getattr(sys.modules.get(top), "__path__", [])
    for found in pkgutil.walk_packages(path, f"{top}.", onerror=lambda name: None):
        if found.name.rpartition(".")[2] != "__main__":
            yield found.name


def normal(name: str) -> str:
    """The normal form of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(sys.argv[1:])
