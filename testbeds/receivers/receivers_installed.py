"""What others wrote, from their registries, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
VARIABLE = "SK_RECEIVERS"
"""The environment variable that tells the tests where the folder is."""
MOCK_OTLP = "@elastic/mockotlpserver@^0.10.0"
PROGRAMS = {"node": "nodejs", "npm": "npm", "prometheus": "prometheus"}
"""The programs that are needed, and the Debian packages that they come in."""
_SECONDS = 1_200.0


class AbsentError(Exception):
    """Something is missing; its text says what, and what to do, on one line."""


def missing_programs(programs: Iterable[str] = PROGRAMS) -> list[str]:
    """Give those that cannot be found."""
    return [program for program in programs if shutil.which(program) is None]


def installed() -> Path:
    """Give the folder.

    :raises AbsentError: when nobody has named it.
    """
    if VARIABLE not in os.environ:
        raise AbsentError(f"{VARIABLE} is not set: run ./noxw -s receivers")
    return Path(os.environ[VARIABLE])


def install(folder: Path) -> None:
    """Bring the folder up to date; what is there already is left alone.

    :raises AbsentError: when something cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if lacking := missing_programs():
        packages = " ".join(PROGRAMS[name] for name in lacking)
        said = f"missing programs: {', '.join(lacking)} (Debian: apt-get install {packages})"
        raise AbsentError(said)
    if _note(folder / "node" / "installed.txt", MOCK_OTLP):
        prefix = ["--prefix", str(folder / "node"), "--no-audit", "--no-fund"]
        _run(["npm", "install", *prefix, MOCK_OTLP])
        (folder / "node" / "installed.txt").write_text(MOCK_OTLP, "utf-8")
    requirements = HERE / "requirements-phoenix.txt"
    wanted = f"{sys.version}\n{requirements.read_text('utf-8')}"
    if _note(folder / "phoenix" / "installed.txt", wanted):
        for command in _environment(folder / "phoenix", requirements):
            _run(command)
        (folder / "phoenix" / "installed.txt").write_text(wanted, "utf-8")


def versions(folder: Path) -> dict[str, str]:
    """Give the versions of what is installed there."""
    package = folder / "node" / "node_modules" / "@elastic" / "mockotlpserver" / "package.json"
    found = {"@elastic/mockotlpserver": str(json.loads(package.read_text("utf-8"))["version"])}
    for path in (folder / "phoenix" / "lib").glob(
        "python*/site-packages/arize_phoenix-*.dist-info"
    ):
        found["arize-phoenix"] = path.name.removesuffix(".dist-info").partition("-")[2]
    return found


def _note(path: Path, wanted: str) -> bool:
    return not path.exists() or path.read_text("utf-8") != wanted


def _environment(folder: Path, requirements: Path) -> Iterator[list[str]]:
    """The commands that make it: by uv where there is one, which takes seconds and not minutes."""
    python = str(folder / "bin" / "python")
    wanted = ["install", "--quiet", "--requirement", str(requirements)]
    if (uv := shutil.which("uv")) is not None:
        yield [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)]
        yield [uv, "pip", *wanted, "--python", python]
    else:
        yield [sys.executable, "-m", "venv", "--clear", str(folder)]
        yield [python, "-m", "pip", *wanted]


def _run(command: Sequence[str]) -> None:
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AbsentError(f"{command[0]} failed: {error}") from error
    if ended.returncode:
        said = ended.stdout.decode("utf-8", "replace").strip().splitlines()
        raise AbsentError(f"{' '.join(command[:3])} failed: {said[-1] if said else 'no word'}")
