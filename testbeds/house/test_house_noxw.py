"""The wrapper ``noxw``, run with interpreters that are shell scripts: no network is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from source_tree import ROOT

TOOLS = ("cat", "cp", "mkdir", "mktemp", "mv", "rm", "sed")
"""The programs that ``noxw`` may use, beside the interpreter."""

# As an interpreter of version 3.11 that makes environments, in which pip and nox only note their
# arguments; LACKS names what an import fails for, PIP what pip exits with.
INTERPRETER = """#!/bin/sh
case "$1 $2" in
-c*ensurepip*) [ "${LACKS:-}" != venv ] ;;
-c*) [ "${LACKS:-}" != version ] ;;
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip") echo "what pip says"; echo made >>"$NOTES/pip"; exit "${PIP:-0}" ;;
"-m nox") shift 2; for argument; do printf '%s\\n' "$argument"; done ;;
*) exit 99 ;;
esac
"""


class Bench:
    """A checkout with a wrapper in it, a PATH, and the means to run the one with the other."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "a check out"
        self.path = folder / "bin"
        self.notes = folder / "notes"
        for directory in (self.checkout, self.path, self.notes):
            directory.mkdir()
        for name in ("noxw", "noxfile.py"):
            shutil.copy(ROOT / name, self.checkout / name)
        for tool in TOOLS:
            (self.path / tool).symlink_to(shutil.which(tool) or tool)

    @property
    def home(self) -> Path:
        """Where the wrapper keeps its environment."""
        return self.checkout / ".nox-bootstrap"

    @property
    def environment(self) -> Path:
        """The environment that the wrapper would run from."""
        return self.home / (self.home / "current").read_text().strip()

    def has(self, name: str) -> Path:
        """Put an interpreter on the PATH."""
        script = self.path / name
        script.write_text(INTERPRETER)
        script.chmod(0o755)
        return script

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start the wrapper, from a folder that is not the checkout."""
        return subprocess.Popen(
            [str(self.checkout / "noxw"), *arguments],
            cwd=self.path,
            env={"PATH": str(self.path), "NOTES": str(self.notes), **settings},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **settings: str) -> tuple[int, str, str]:
        """Run the wrapper; gives its exit code, output and error output."""
        with self.start(*arguments, **settings) as process:
            output, errors = process.communicate()
        return process.returncode, output, errors

    def installs(self) -> int:
        """How often pip has been called."""
        note = self.notes / "pip"
        return len(note.read_text().splitlines()) if note.exists() else 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench without any interpreter."""
    return Bench(tmp_path)


def test_arguments_reach_nox_as_they_are(bench: Bench) -> None:
    bench.has("python3.11")
    noxfile = bench.checkout / "noxfile.py"
    assert bench.run("-s", "tests", "--", "a b", "*") == (
        0,
        "\n".join(["--noxfile", str(noxfile), "-s", "tests", "--", "a b", "*", ""]),
        "",
    )


def test_a_second_call_installs_nothing(bench: Bench) -> None:
    bench.has("python3.11")
    bench.run()
    bench.run()
    assert bench.installs() == 1


def test_an_environment_that_is_half_made_is_not_used(bench: Bench) -> None:
    bench.has("python3.11")
    half = bench.home / "env.half"
    (half / "bin").mkdir(parents=True)
    shutil.copy(bench.path / "python3.11", half / "bin" / "python")
    (bench.home / "current").write_text("env.half\n")
    assert bench.run()[0] == 0
    assert bench.installs() == 1


def test_an_environment_whose_interpreter_is_gone_is_made_anew(bench: Bench) -> None:
    bench.has("python3.11")
    bench.run()
    (bench.environment / "bin" / "python").unlink()
    assert bench.run()[0] == 0
    assert bench.installs() == 2


def test_another_range_of_nox_makes_the_environment_anew(bench: Bench) -> None:
    bench.has("python3.11")
    bench.run()
    noxfile = bench.checkout / "noxfile.py"
    noxfile.write_text(noxfile.read_text().replace('needs_version = "', 'needs_version = ">1,'))
    bench.run()
    assert bench.installs() == 2
    assert sorted(bench.home.iterdir()) == sorted([bench.home / "current", bench.environment])


def test_calls_at_the_same_time_all_succeed(bench: Bench) -> None:
    bench.has("python3.11")
    calls = [bench.start("--list") for _ in range(4)]
    assert [call.communicate()[1] for call in calls] == [""] * 4
    assert [call.returncode for call in calls] == [0] * 4


def test_a_failed_install_says_so_and_leaves_nothing(bench: Bench) -> None:
    bench.has("python3.11")
    code, _, errors = bench.run(PIP="1")
    assert code == 1
    assert errors.startswith("what pip says\nnoxw: could not install nox[uv]>=")
    assert list(bench.home.iterdir()) == []


def test_without_a_python_it_says_what_is_needed(bench: Bench) -> None:
    code, _, errors = bench.run()
    assert code == 1
    assert errors == (
        "noxw: no Python 3.11 or newer on the PATH: install one, or set PYTHON to its path\n"
    )


def test_a_python_that_is_too_old_is_passed_over(bench: Bench) -> None:
    bench.has("python3")
    code, _, errors = bench.run(LACKS="version")
    assert (code, errors.split(":")[1]) == (1, " no Python 3.11 or newer on the PATH")


def test_a_python_without_venv_names_the_package_to_install(bench: Bench) -> None:
    bench.has("python3.12")
    code, _, errors = bench.run(LACKS="venv")
    assert code == 1
    assert errors == (
        "noxw: python3.12 lacks its venv module: install it (Debian, Ubuntu: python3-venv)\n"
    )


def test_the_python_that_is_named_is_used_from_any_place(bench: Bench, tmp_path: Path) -> None:
    named = tmp_path / "my python"
    os.rename(bench.has("python3.11"), named)
    assert bench.run(PYTHON=str(named))[0] == 0


def test_a_python_that_is_named_and_does_not_run_is_refused(bench: Bench) -> None:
    bench.has("python3.11")
    code, _, errors = bench.run(PYTHON="/no/such/python")
    assert code == 1
    assert errors.startswith("noxw: $PYTHON is '/no/such/python', which is not")
