"""The test application, its ears, and commands that leave nothing behind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

APPS = str(Path(__file__).parent / "apps")
if APPS not in sys.path:
    sys.path.insert(0, APPS)  # workers inherit it, as they do any module search path

from asking import Told  # noqa: E402
from sk_in_here import in_here  # noqa: E402
from supervisor_harness import Command, Ears, written  # noqa: E402
from supervisor_runs import Runs  # noqa: E402


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where output goes, with an old one in place."""
    path = tmp_path / "out.txt"
    path.write_text("old\n")
    return path


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Hear what the application says."""
    ears = Ears()
    yield ears
    ears.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """Hear what a run tells."""
    told = Told(tmp_path)
    yield told
    told.close()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What remains after a failure has a minute to end by itself, since it may be held up."""
    for module in ("_stop.draining", "_supervisor.waiting"):
        monkeypatch.setattr(f"sk_supervisor.{module}.FAILURE_BUDGET_SECONDS", 60.0)


@pytest.fixture
def sk(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    """Start ``sk`` with a configuration (a mapping, or any path) and further arguments."""
    begun: list[Command] = []

    def start(command: str, configuration: Any, *arguments: str, **options: Any) -> Command:
        path = configuration if isinstance(configuration, str) else written(tmp_path, configuration)
        begun.append(Command([command, path, *arguments], **options))
        return begun[-1]

    yield start
    for command in begun:
        command.end()


@pytest.fixture
def ask(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Run an ``sk`` command to its end, in this process: exit code, output, standard error.

    Among its arguments may be a configuration, as a mapping. What is signalled, reads standard
    input or is looked at from outside is started with ``sk``.
    """

    def run(*arguments: Any, **environment: str) -> tuple[int, str, str]:
        words = [each if isinstance(each, str) else written(tmp_path, each) for each in arguments]
        capfd.readouterr()
        code = in_here(*words, **environment)
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def runs(
    run_dir: Path,
    request: pytest.FixtureRequest,
    target: Path,
    ears: Ears,
    sk: Callable[..., Command],
    ask: Callable[..., tuple[int, str, str]],
) -> Runs:
    """Runs in a run directory that no other test sees."""
    return Runs(run_dir / f"{abs(hash(request.node.nodeid)):x}", target, ears, sk, ask)
