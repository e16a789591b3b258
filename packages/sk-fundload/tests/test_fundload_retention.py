"""A bound on what is remembered: what comes too late, and that nothing else shows it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_fundload._setup import configuration
from sk_fundload.domain import (
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    NONE,
    TOO_LATE,
    WEEKLY_AMOUNT_LIMIT,
)
from sk_fundload.errors import RulesDisagreeError
from sk_fundload.messages import OutputLine, RawLine
from sk_fundload.nodes import ParseLoadAttempt, ReadSettings
from sk_kernel import ApplicationSpec
from sk_kernel.testing import run_application, run_placed

MakeChain = Callable[..., Any]
NODES = ("parse_load_attempt", "idempotency_gate", "update_windows")
MONDAY = date(2000, 1, 3)


def kept(days: int) -> list[str]:
    return [f"nodes.{node}.retention_days={days}" for node in NODES]


def attempt(id_: str, day: int, dollars: int = 1, customer: str = "1") -> tuple[str, ...]:
    when = MONDAY + timedelta(days=day)
    return id_, customer, f"${dollars}.00", f"{when.isoformat()}T12:00:00Z"


def line_of(attempt: tuple[str, ...]) -> bytes:
    names = ("id", "customer_id", "load_amount", "time")
    return json.dumps(dict(zip(names, attempt, strict=True))).encode()


def test_an_attempt_is_too_late_when_its_day_is_further_back_than_the_retention(
    make_chain: MakeChain,
) -> None:
    given = [attempt("10", 9), attempt("12", 6), attempt("14", 5), attempt("16", 9)]
    chain = make_chain("baseline", *kept(3))
    assert chain.reasons(given) == [NONE, NONE, TOO_LATE, NONE]
    assert make_chain("baseline").reasons(given) == [NONE] * 4


def test_an_id_is_known_for_the_retention_after_its_first_day_and_new_behind_it(
    make_chain: MakeChain,
) -> None:
    given = [attempt("10", 0), attempt("10", 3, 2), attempt("10", 4, 3), attempt("10", 4, 3)]
    expected = [NONE, ID_DUPLICATE_CONFLICT, NONE, ID_DUPLICATE_REPLAY]
    assert make_chain("baseline", *kept(3)).reasons(given) == expected


def forgetting_nothing(attempts: list[tuple[int, int, int, int]], retention: int) -> list[str]:
    """The rules of `baseline` in so many words: (id, day, dollars, customer)."""
    known: dict[int, tuple[int, int, int, int]] = {}
    counted: list[tuple[int, int, int, bool]] = []
    reasons, newest = [], 0
    for each in attempts:
        id_, day, dollars, customer = each
        newest = max(newest, day)
        first = known.get(id_)
        own = [one for one in counted if one[2] == customer]
        today = [one for one in own if one[0] == day]
        week = [one for one in own if one[0] // 7 == day // 7]
        if day < newest - retention:
            reasons.append(TOO_LATE)
            continue
        if first is not None and day <= first[1] + retention:
            reasons.append(ID_DUPLICATE_REPLAY if first == each else ID_DUPLICATE_CONFLICT)
            continue
        known[id_] = each
        if len(today) >= 3:
            reason = DAILY_ATTEMPT_LIMIT
        elif sum(one[1] for one in today if one[3]) + dollars > 5_000:
            reason = DAILY_AMOUNT_LIMIT
        elif sum(one[1] for one in week if one[3]) + dollars > 20_000:
            reason = WEEKLY_AMOUNT_LIMIT
        else:
            reason = NONE
        counted.append((day, dollars, customer, not reason))
        reasons.append(reason)
    return reasons


ATTEMPTS = st.tuples(
    st.integers(10, 16), st.integers(0, 40), st.sampled_from([1, 2_500, 5_000]), st.integers(1, 2)
)


@given(st.lists(ATTEMPTS, max_size=60), st.integers(1, 9), st.booleans())
def test_that_something_is_forgotten_is_seen_by_nothing(
    make_chain: MakeChain, attempts: list[tuple[int, int, int, int]], retention: int, by_day: bool
) -> None:
    if by_day:  # about in the order of time, as input is: less is too late
        attempts.sort(key=lambda each: each[1] // 4)
    given = [attempt(str(i), day, dollars, str(who)) for i, day, dollars, who in attempts]
    got = make_chain("baseline", *kept(retention)).reasons(given)
    assert got == forgetting_nothing(attempts, retention)


def test_what_is_remembered_does_not_grow_with_the_days(make_chain: MakeChain) -> None:
    chain = make_chain("exp_mp", *kept(7))
    primes = ("2", "3", "5", "7", "11", "13", "17", "19")
    given = [
        attempt(
            primes[day % 8] if n == 0 else str(1_000 + 2 * (100 * day + n)), day, 1, f"{day}{n}"
        )
        for day in range(100)
        for n in range(5)
    ]
    assert chain.reasons(given).count(NONE) > 300
    assert len(chain.first.by_id) <= 15 * 5
    assert len(chain.windows.weeks) <= 3
    assert len(chain.primes.by_day) <= 7 + 7
    assert len(chain.windows.names) <= 2 * 3 * 7 * 5


@pytest.mark.contract("P5PRE-EXEC-05")
def test_with_a_retention_keyed_workers_give_the_output_of_memory() -> None:
    config = configuration(
        rules="baseline", profile="multiprocess", file=None, overrides=kept(2), places={}
    )
    spec = ApplicationSpec(
        scenario=config.scenario.name,
        discovery_modules=list(config.runtime.discovery_modules),
        nodes={name: dict(settings) for name, settings in config.nodes.items()},
    )
    groups = {
        n: group.name for group in config.runtime.platform.process_groups for n in group.nodes
    }
    chance = random.Random(5)  # noqa: S311 - the same input each time
    attempts = [
        attempt(
            str(chance.randrange(n // 2, n // 2 + 60)),
            n // 20 - chance.choice([0, 0, 0, 0, 1, 2, 3]),
            chance.choice([1, 2_500]),
            str(chance.randrange(5)),
        )
        for n in range(1_000)
    ]
    lines = [RawLine(number, line_of(each)) for number, each in enumerate(attempts, 1)]
    expected = run_application(spec, lines)
    workers = {"execution.features": 2, "execution.policy": 3}
    assert run_placed(spec, lines, groups, workers=workers, batch_records=50) == expected
    reasons = [line.reason for line in expected if isinstance(line, OutputLine)]
    met = (NONE, TOO_LATE, ID_DUPLICATE_CONFLICT, DAILY_ATTEMPT_LIMIT)
    assert min(map(reasons.count, met)) > 20


def test_without_a_retention_nothing_is_asked_for() -> None:
    assert ParseLoadAttempt.states(ReadSettings()) == ()


@pytest.mark.parametrize("other", ["null", "4"])
@pytest.mark.parametrize("node", NODES)
def test_the_retention_is_the_same_in_all_its_nodes(node: str, other: str) -> None:
    with pytest.raises(RulesDisagreeError, match="retention_days is"):
        configuration(
            rules="baseline",
            profile="memory",
            file=None,
            overrides=[*kept(3), f"nodes.{node}.retention_days={other}"],
            places={},
        )
