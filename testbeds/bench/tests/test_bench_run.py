"""The session itself, on as few records as do: what it does, never how fast."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench_environments import REQUIREMENTS, AbsentError, distributions, interpreter
from bench_process import last_words
from bench_systems import PEERS, SYSTEMS

RUN = PEERS.with_name("run_bench.py")


def call(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Input with every kind of unreadable line."""
    path = tmp_path_factory.mktemp("bench") / "dirty.jsonl"
    options = ["--records", "2000", "--seed", "7", "--dirty", "--output", str(path)]
    assert call("-m", "sk_fundload", "generate", *options, cwd=path.parent).returncode == 0
    return path


@pytest.fixture(scope="module", params=["baseline", "exp_mp"])
def ours(request: pytest.FixtureRequest, dirty: Path) -> tuple[str, bytes, bytes]:
    """A rule set, and the decisions and rejects that the memory profile writes under it."""
    options = ["--rules", request.param, "--profile", "memory", "--quiet", "--input", str(dirty)]
    files = [dirty.with_name(f"{request.param}-{what}") for what in ("output", "rejects")]
    places: list[str | Path] = ["--output", files[0], "--rejects", files[1]]
    done = call("-m", "sk_fundload", "run", *options, *places, cwd=dirty.parent)
    assert done.returncode == 0, done.stderr
    return request.param, files[0].read_bytes(), files[1].read_bytes()


@pytest.mark.parametrize("program", ["hand_loop.py", "queue_pickle.py"])
def test_a_peer_does_the_whole_job(
    program: str, ours: tuple[str, bytes, bytes], dirty: Path, tmp_path: Path
) -> None:
    """Decisions and rejects of every kind are the bytes that the memory profile writes."""
    rules, output, rejects = ours
    peer = call(PEERS / program, rules, dirty, "got", "got-rejects", cwd=tmp_path)
    assert peer.returncode == 0, peer.stderr
    assert (tmp_path / "got").read_bytes() == output
    assert (tmp_path / "got-rejects").read_bytes() == rejects


def test_a_session_measures_two_systems_and_names_one_that_is_absent(tmp_path: Path) -> None:
    """Bytewax is: no folder of environments is given."""
    options = ["--systems", "queue", "bytewax", "--records", "600", "--rounds", "2"]
    options += ["--requests", "50", "--request-rounds", "2"]
    ended = call(RUN, *options, "--reports", tmp_path / "reports", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    document = json.loads((tmp_path / "reports" / "bench.json").read_bytes())
    systems = {system["name"]: system for system in document["systems"]}
    assert "not installed" in systems["bytewax"]["absent"]
    for name in ("hand_loop", "queue"):
        size = systems[name]["sizes"]["600"]
        assert size["identical"] is True
        assert len(size["runs"]) == 2
        assert all(run["inside_seconds"] > 0 < run["cpu_seconds"] for run in size["runs"])
    written = {path.name for path in (tmp_path / "reports").iterdir()}
    assert written == {"bench.json", "bench.md", "bench.svg"}
    assert document["inputs"]["600"]["sha256"] != hashlib.sha256().hexdigest()


def test_a_session_that_cannot_run_leaves_no_report_behind(tmp_path: Path) -> None:
    """Not even an earlier one, which could be taken for its own."""
    (tmp_path / "bench.md").write_text("an earlier one")
    options = ["--systems", "queue", "--records", "100000000", "--timeout", "1"]
    ended = call(RUN, *options, "--reports", tmp_path, cwd=tmp_path)
    assert ended.returncode == 2
    assert "it took more than 1 s" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_peer_has_requirements_with_both_bounds() -> None:
    peers = {system.environment for system in SYSTEMS if system.environment is not None}
    assert {path.stem for path in REQUIREMENTS.iterdir()} == peers
    for path in REQUIREMENTS.iterdir():
        lines = path.read_text("utf-8").splitlines()
        assert all(">=" in line and ",<" in line for line in lines), path
        assert "msgspec" in distributions(path.stem)


def test_why_a_peer_could_not_be_installed_is_why_it_is_absent(tmp_path: Path) -> None:
    (tmp_path / "beam").mkdir()
    (tmp_path / "beam" / "refusal.txt").write_text("no matching distribution")
    with pytest.raises(AbsentError, match="not installed: no matching distribution"):
        interpreter(tmp_path, "beam")


def test_last_words_are_the_last_line_that_says_something() -> None:
    assert last_words("first\n  why \n\n") == "why"
    assert last_words("\n") == "it said nothing"
