"""Every attack on a data port: each strike refused under its category, and the worker let in."""

from __future__ import annotations

import pytest
from attack_frames import Attacker
from attack_model import Ending, Strike
from attacks_on_data import DATA_ATTACKS, DataAttack
from target import WORKER, DataTarget
from tcp_port import TcpPort


def stalls(strikes: list[Strike]) -> bool:
    """Whether the attacker waits for the end of its time."""
    return any(strike.ending is Ending.DRIP or "timeout" in strike.refused for strike in strikes)


@pytest.mark.contract("SEC-IPC-02", "SEC-IPC-03", "SEC-IPC-05", "SEC-IPC-06", "IPC-INT-06")
@pytest.mark.parametrize("attack", DATA_ATTACKS, ids=[attack.name for attack in DATA_ATTACKS])
def test_an_attack_on_the_data_port_is_refused_and_counted(attack: DataAttack) -> None:
    strikes = list(attack.strikes(Attacker(WORKER)))
    with DataTarget(handshake_seconds=0.5 if stalls(strikes) else 20) as target:
        outcome = TcpPort(target.address).run(attack, strikes)
        assert outcome.wrong == 0, outcome
        counted = target.refused()
        assert set(counted) <= frozenset().union(*(strike.refused for strike in strikes))
        assert sum(counted.values()) == sum(bool(strike.refused) for strike in strikes)
        for category in counted:
            certain = sum(strike.refused == {category} for strike in strikes)
            possible = sum(category in strike.refused for strike in strikes)
            assert certain <= counted[category] <= possible
        assert target.greets_its_worker()
