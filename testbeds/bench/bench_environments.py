"""A virtual environment for each peer: their requirements exclude each other's, and ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench_process import last_words

REQUIREMENTS = Path(__file__).with_name("requirements")
_SECONDS = 1_200.0


class AbsentError(Exception):
    """A system that cannot run here; its text is the reason, on one line."""


def interpreter(folder: Path | None, name: str | None) -> str:
    """Give the Python that has what a system needs: this one where it needs nothing more.

    :raises AbsentError: when its environment is not there.
    """
    if name is None:
        return sys.executable
    if folder is None:
        raise AbsentError("its packages are not installed: no --environments folder")
    python = _python(folder / name)
    if not (folder / name / "installed.txt").exists():
        refusal = folder / name / "refusal.txt"
        said = refusal.read_text("utf-8") if refusal.exists() else "--install was not asked for"
        raise AbsentError(f"its packages are not installed: {said}")
    return str(python)


def install(folder: Path, names: Iterable[str]) -> None:
    """Bring the named environments up to date; what cannot be installed leaves its reason.

    :raises OSError: when the folder cannot be written.
    """
    for name in names:
        wanted = f"{sys.version}\n{(REQUIREMENTS / f'{name}.txt').read_text('utf-8')}"
        note = folder / name / "installed.txt"
        if not note.exists() or note.read_text("utf-8") != wanted:
            note.unlink(missing_ok=True)
            refusal = _make(folder / name, REQUIREMENTS / f"{name}.txt")
            if refusal is None:
                note.write_text(wanted, "utf-8")
            else:
                note.with_name("refusal.txt").write_text(refusal, "utf-8")


def versions(python: str, names: Iterable[str]) -> dict[str, str]:
    """Give the installed versions of distributions, of those that an interpreter has."""
    program = (
        "import sys\nfrom importlib.metadata import PackageNotFoundError, version\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, version(name))\n"
        "    except PackageNotFoundError: pass\n"
    )
    said = subprocess.run(
        [python, "-c", program, *names], stdout=subprocess.PIPE, check=False, text=True
    )
    return dict(line.split(maxsplit=1) for line in said.stdout.splitlines())


def distributions(name: str) -> list[str]:
    """Give the names of what a peer's requirements file asks for."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text("utf-8").splitlines()
    return [line.partition(">")[0] for line in lines if line and not line.startswith("#")]


def _make(folder: Path, requirements: Path) -> str | None:
    """Make an environment; None, or why that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    pip = [str(_python(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "--requirement", str(requirements)],
    ):
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"that took more than {_SECONDS:.0f} s"
        if ended.returncode:
            said = ended.stdout.decode("utf-8", "replace")
            faults = [line for line in said.splitlines() if line.startswith("ERROR:")]
            return last_words("\n".join(faults) or said)
    return None


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"
