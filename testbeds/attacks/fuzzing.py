"""Fuzzing with atheris, which is no dependency of anything else here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence


def fuzz(one_input: Callable[[bytes], None], modules: Sequence[str]) -> int:
    """Call `one_input` with what atheris makes up, guided by the coverage of `modules`.

    The command line is that of libFuzzer. Does not return but for a missing atheris.
    """
    try:
        atheris = importlib.import_module("atheris")
    except ModuleNotFoundError:
        sys.stderr.write("fuzzing needs atheris: pip install atheris\n")
        return 2
    loaded = [name for name in sys.modules if name.split(".")[0] in modules]
    for name in loaded:
        _instrument(atheris, name)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
    return 0


def _instrument(atheris: object, name: str) -> None:
    """Have the functions of a module report their coverage."""
    instrument = atheris.instrument_func  # type: ignore[attr-defined]
    module = sys.modules[name]
    for key, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != name:
            continue
        if isinstance(value, type):
            for part, method in list(vars(value).items()):
                if hasattr(method, "__code__"):
                    setattr(value, part, instrument(method))
        elif hasattr(value, "__code__"):
            setattr(module, key, instrument(value))
