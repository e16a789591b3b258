"""A run under attack: nothing is let in, and the bytes that come out are those of memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path

import pytest
from attack_frames import Attacker
from attack_model import Outcome, Port
from attacks_on_control import CONTROL_ATTACKS, ControlAttacker
from attacks_on_data import DATA_ATTACKS
from control_port import ControlPort
from live_run import LiveRun
from run_attacks import Campaign
from tcp_port import TcpPort

RECORDS = 8_000
FLOODS = ("silent crowd", "nonce flood")
#: Of a flood, strikes in a row, more than the port has room for, and the pause behind them: what is
#: flooded is the port, and not the processors that the workers start on.
IN_A_ROW, PAUSE_SECONDS = 200, 0.1
#: Who says nothing is waited out, several times. Those who belong there are in before the attack.
SHORT_HANDSHAKES = [
    word
    for plane in ("execution_ipc", "execution_ipc.control")
    for word in ("--set", f"runtime.platform.{plane}.admission.handshake_timeout_seconds=2")
]


def sk_fundload(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "sk_fundload", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an input, and what the memory profile makes of it."""
    folder = tmp_path_factory.mktemp("given")
    options = ["--records", str(RECORDS), "--seed", "3", "--dirty"]
    sk_fundload("generate", *options, "--output", folder / "input")
    places = ["--output", folder / "output", "--rejects", folder / "rejects"]
    memory = ["--rules", "exp_mp", "--profile", "memory", "--quiet"]
    sk_fundload("run", *memory, "--input", folder / "input", *map(str, places))
    return folder


@pytest.fixture
def live(given: Path, tmp_path: Path) -> Iterator[LiveRun]:
    with LiveRun(tmp_path, (given / "input").read_bytes()) as run:
        yield run


@dataclass(frozen=True)
class Attacked:
    """A run that was struck by the whole corpus, and whether it was there behind that."""

    run: LiveRun
    outcomes: list[Outcome]
    outlived: bool


@pytest.fixture(scope="module")
def attacked(given: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("attacked")
    with LiveRun(folder, (given / "input").read_bytes(), options=SHORT_HANDSHAKES) as live:
        data, control = live.ports()
        live.await_work()
        campaigns = Campaign(data, None), Campaign(None, control)
        with ThreadPoolExecutor() as pool:
            both = pool.map(lambda campaign: list(campaign.outcomes()), campaigns)
        outcomes = [outcome for outcomes in both for outcome in outcomes]
        outlived = live.running()
        live.finish()
        yield Attacked(live, outcomes, outlived)


def assert_untouched(live: LiveRun, given: Path) -> None:
    """The run has ended well, or does so now, with the bytes of the memory profile."""
    assert live.finish() == 0, live.said()
    for name in ("output", "rejects"):
        assert (given / name).read_bytes() == (live.output.parent / name).read_bytes()
    assert live.events("worker_failed") == []


@pytest.mark.contract("SEC-IPC-02", "SEC-IPC-05", "SEC-IPC-06", "IPC-INT-05", "IPC-INT-06")
def test_the_whole_corpus_is_refused_and_has_no_effect_on_a_run(
    attacked: Attacked, given: Path
) -> None:
    assert [outcome for outcome in attacked.outcomes if not outcome.ok] == []
    assert len(attacked.outcomes) > 30
    assert attacked.outlived, attacked.run.said()
    assert_untouched(attacked.run, given)


def test_a_flood_during_the_start_keeps_no_worker_out(live: LiveRun, given: Path) -> None:
    """Silent crowds and fresh nonces at both ports, from before the workers dial in."""
    data, control = live.ports()
    over = threading.Event()

    def flood_data() -> None:
        port, attacker = TcpPort(data), Attacker()
        for attack in cycle(attack for attack in DATA_ATTACKS if attack.name in FLOODS):
            list(port.strike_all(islice(attack.strikes(attacker), IN_A_ROW), attack.width))
            if over.wait(PAUSE_SECONDS):
                return

    def flood_control() -> None:
        port, attacker = ControlPort(control), ControlAttacker()
        for attack in cycle(attack for attack in CONTROL_ATTACKS if attack.name in FLOODS):
            list(port.strike_all(islice(attack.strikes(attacker), IN_A_ROW), attack.width))
            if over.wait(PAUSE_SECONDS):
                return

    threads = [threading.Thread(target=flood) for flood in (flood_data, flood_control)]
    for thread in threads:
        thread.start()
    try:
        live.await_work()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert live.running(), live.said()
    assert_untouched(live, given)


def test_a_flood_of_refusals_is_logged_at_a_bounded_rate(attacked: Attacked) -> None:
    """Thousands are refused, each is counted, and an event a second at most says so."""
    floods = ("bit flips", "nonce flood", "truncation")
    strikes = sum(
        outcome.ends.total()
        for outcome in attacked.outcomes
        if outcome.port is Port.CONTROL and outcome.name in floods
    )
    assert strikes > 2_000
    told = attacked.run.events("refused")
    counts = Counter[str]()
    for event in told:
        counts.update(event["fields"])
    assert sum(n for name, n in counts.items() if name.startswith("control.")) >= strikes
    times = [datetime.fromisoformat(event["time"]) for event in told]
    # The first one comes at once, and the last with the end, whenever that is.
    assert len(told) <= (times[-1] - times[0]).total_seconds() + 3
