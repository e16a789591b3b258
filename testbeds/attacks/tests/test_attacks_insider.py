"""Attacks with the keys: replay, reflection, skew, and every bit of what is signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from insider_control import CONTROL_INSIDER_CASES, joined
from insider_data import INSIDER_CASES, Insider
from sk_control import SessionState
from sk_control.testing import ServerBench, Traitor

DataCase = Callable[[Insider], Iterator[str]]
ControlCase = Callable[[ServerBench, Traitor], Iterator[str]]


@pytest.mark.contract("SEC-IPC-02", "SEC-IPC-03", "SEC-IPC-04")
@pytest.mark.parametrize(
    ("attack", "categories"), INSIDER_CASES, ids=[case.__name__ for case, _ in INSIDER_CASES]
)
def test_what_an_insider_sends_the_hub_is_refused(
    attack: DataCase, categories: frozenset[str]
) -> None:
    assert set(attack(Insider())) == categories


@pytest.mark.contract("P5PRE-CTRL-03", "P5PRE-CTRL-06")
@pytest.mark.parametrize(
    ("attack", "categories"),
    CONTROL_INSIDER_CASES,
    ids=[case.__name__ for case, _ in CONTROL_INSIDER_CASES],
)
def test_what_an_insider_sends_its_session_is_refused_and_hurts_nobody_else(
    attack: ControlCase, categories: frozenset[str]
) -> None:
    with joined() as bench:
        traitor = bench.traitor(bench.expect("traitor"))
        for _ in range(2):
            bench.event(object)
        refused = list(attack(bench, traitor))
        assert {refusal.partition("/")[0] for refusal in refused} == categories
        assert sum(bench.server.refusals().values()) == len(refused)
        assert bench.server.states() == {"traitor": SessionState.ACKED}
        assert bench.connect(bench.expect("honest")).state is SessionState.ACKED
