"""Fresh virtual environments, made and filled by uv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SECONDS = 1_800.0
_LAST_LINES = 40


class StepFailedError(Exception):
    """A program did not do its work; its text has the command and the end of what it said."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees nothing of the checkout."""

    folder: Path
    uv: str

    @classmethod
    def make(cls, folder: Path, python: str) -> Environment:
        """Make an empty one with the interpreter that ``python`` names (a version, or a path).

        :raises StepFailedError: when there is no uv, or no such interpreter.
        """
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
        if uv is None:
            raise StepFailedError("there is no uv beside this Python: the nox session installs it")
        call([uv, "venv", "--quiet", "--no-project", "--python", python, str(folder)])
        return cls(folder, uv)

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / "bin" / "python")

    def install(self, wanted: Sequence[str], constraints: Path) -> None:
        """Install requirements in one resolution, held to a file of constraints.

        :raises StepFailedError: when that cannot be.
        """
        install = [self.uv, "pip", "install", "--quiet", "--python", self.python]
        call([*install, "--constraint", str(constraints), *wanted])

    def run(self, arguments: Sequence[str], folder: Path) -> str:
        """Run its Python there; give what that wrote to standard output.

        :raises StepFailedError: when its exit code is not 0.
        """
        return call([self.python, *arguments], folder)

    def probe(self, modules: Sequence[str], folder: Path) -> Any:
        """What ``install_probe.py`` finds out about the environment."""
        script = Path(__file__).with_name("install_probe.py")
        return json.loads(self.run(["-I", str(script), *modules], folder))


def call(command: Sequence[str], folder: Path | None = None) -> str:
    """Run a command without the caller's Python settings; give its standard output.

    :raises StepFailedError: when it cannot be run, lasts too long or fails.
    """
    kept = {name: value for name, value in os.environ.items() if not _steers_python(name)}
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StepFailedError(f"{' '.join(command)}: {error}") from error
    if ended.returncode:
        said = (ended.stdout + ended.stderr).splitlines()[-_LAST_LINES:]
        raise StepFailedError(
            "\n".join([f"exit code {ended.returncode} of {' '.join(command)}", *said])
        )
    return ended.stdout


_STEER_PYTHON = frozenset(
    (
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONHOME",
        "PYTHONPATH",
        "UV_PROJECT",
        "UV_PYTHON",
        "VIRTUAL_ENV",
    )
)


def _steers_python(name: str) -> bool:
    return name in _STEER_PYTHON
