"""The runner as a command, and the programs beside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from attack_frames import Attacker, flips, truncations
from attacks_on_data import DATA_ATTACKS
from run_attacks import main
from sk_transport import FrameDecoder, FrameLimits
from target import WORKER, DataTarget

TESTBED = Path(__file__).parent.parent
QUICK = ["wrong version", "odd signatures", "port scan"]


def program(name: str, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TESTBED / name), *arguments]
    env = {**os.environ, **changes}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env=env
    )


def test_a_target_that_refuses_all_is_exit_0_and_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "attacks.json"
    with DataTarget(handshake_seconds=20) as target:
        address = f"{target.address[0]}:{target.address[1]}"
        arguments = ["--data", address, "--only", *QUICK, "--report", str(report)]
        assert main(arguments) == 0
    rows = json.loads(report.read_text())["attacks"]
    assert [row["attack"] for row in rows] == [a.name for a in DATA_ATTACKS if a.name in QUICK]
    assert all(row["wrong"] == 0 and row["ends"].keys() == {"hung_up"} for row in rows)
    assert capsys.readouterr().out.count("refused") == len(QUICK)


def test_a_target_that_lets_strangers_stay_is_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        arguments = ["--data", address, "--only", "wrong version", "--patience", "0.2"]
        assert main(arguments) == 1
    assert "6 WRONG" in capsys.readouterr().out


def test_a_port_that_is_not_there_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"127.0.0.1:{gone.getsockname()[1]}"
    assert main(["--data", address]) == 2
    assert capsys.readouterr().err.startswith("attacks: ")


def test_a_process_that_is_no_supervisor_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pid", str(os.getpid())]) == 2
    assert "name them with --data and --control" in capsys.readouterr().err


def test_nothing_to_attack_is_no_success() -> None:
    assert main([]) == 1


def test_the_corpus_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(f"{attack.does}: {attack.must}" in listed for attack in DATA_ATTACKS)


def test_the_attackers_frame_is_right_in_all_but_its_signature() -> None:
    """What the corpus cuts and bends is a whole frame to begin with."""
    raw = Attacker(WORKER).frame()
    (frame,) = FrameDecoder(FrameLimits()).feed(raw)
    assert (frame.kind.name, frame.header) == ("HELLO", WORKER.encode())
    assert len(flips(raw)) == 8 * len(raw)
    assert len(truncations(raw)) == len(raw) - 1


def test_the_benchmark_of_signing_prints_its_table() -> None:
    done = program("bench_signing.py", "--frames", "20")
    assert (done.returncode, done.stderr) == (0, "")
    assert "seal" in done.stdout
    assert "verify" in done.stdout


def test_the_hmac_is_off_only_where_the_benchmark_has_put_it_off() -> None:
    """Signatures are zeros with its module on the path, and not without it."""
    show = (
        "import sk_transport as t; c = t.Channel('s', 'a', 'b');"
        "print(t.Signer(c, t.Secret.generate()).seal(3, b'')[0][32:].hex())"
    )
    command = [sys.executable, "-c", show]
    unsigned = {**os.environ, "PYTHONPATH": str(TESTBED / "unsigned")}
    for env, zeros in ((unsigned, True), (dict(os.environ), False)):
        shown = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
        assert (shown.strip() == "00" * 32) is zeros


@pytest.mark.parametrize("name", ["fuzz_decoder.py", "fuzz_control.py"])
def test_a_fuzzer_takes_its_seeds_and_says_what_it_needs(name: str, tmp_path: Path) -> None:
    """Without atheris it is exit 2 and a word; the function that it calls takes any input."""
    blocked = tmp_path / "atheris.py"
    blocked.write_text("raise ModuleNotFoundError('atheris')")
    done = program(name, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "fuzzing needs atheris: pip install atheris",
    )


def test_what_the_fuzzers_call_passes_on_what_is_right_and_what_is_not() -> None:
    import fuzz_control
    import fuzz_decoder
    import run_fuzz

    for data in (b"", b"\0", b"\xff" * 100, *run_fuzz._frames(), *run_fuzz._bodies()):
        fuzz_decoder.one_input(data)
        fuzz_control.one_input(data)
