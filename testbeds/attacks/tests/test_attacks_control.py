"""Every attack on a control port: each strike refused with its code, and the worker let in."""

from __future__ import annotations

import pytest
from attack_model import Ending
from attacks_on_control import CONTROL_ATTACKS, RAW_ATTACKS, ControlAttack, ControlAttacker
from control_port import ControlPort
from sk_control import ControlServer, ControlSettings, SessionState
from sk_control.testing import ServerBench
from tcp_port import TcpPort

WORKER = "execution.ingress-0.1"


def address_of(bench: ServerBench) -> tuple[str, int]:
    host, _, port = bench.server.address.rpartition(":")
    return host, int(port)


@pytest.mark.contract("P5PRE-CTRL-03", "P5PRE-CTRL-06")
@pytest.mark.parametrize("attack", CONTROL_ATTACKS, ids=[attack.name for attack in CONTROL_ATTACKS])
def test_an_attack_on_the_control_port_is_refused_and_counted(attack: ControlAttack) -> None:
    strikes = list(attack.strikes(ControlAttacker(WORKER)))
    silent = any(strike.ending is Ending.DRIP for strike in strikes)
    settings = ControlSettings(hello_timeout_seconds=0.5 if silent else 20)
    with ServerBench(ControlServer, settings) as bench:
        identity = bench.expect(WORKER)
        outcome = ControlPort(address_of(bench)).run(attack, strikes)
        assert outcome.wrong == 0, outcome
        ours = {end: count for end, count in outcome.ends.items() if "/" in end}
        counted = {category: n for category, n in bench.server.refusals().items() if n}
        assert sum(counted.values()) >= sum(ours.values())
        assert {end.partition("/")[0] for end in ours} <= set(counted)
        assert bench.server.states() == {WORKER: SessionState.EXPECTED}
        assert bench.connect(identity).state is SessionState.ACKED


@pytest.mark.parametrize("attack", RAW_ATTACKS, ids=[attack.name for attack in RAW_ATTACKS])
def test_an_attack_below_grpc_leaves_the_worker_its_place(attack: ControlAttack) -> None:
    with ServerBench(ControlServer) as bench:
        identity = bench.expect(WORKER)
        port = TcpPort(address_of(bench), patience_seconds=1.0)
        assert port.run(attack, attack.strikes(ControlAttacker(WORKER))).ok
        assert bench.server.states() == {WORKER: SessionState.EXPECTED}
        assert bench.connect(identity).state is SessionState.ACKED
