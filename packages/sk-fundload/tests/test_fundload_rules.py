"""Deciding: the rules at their edges, under both rule sets."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sk_fundload.domain import (
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    NONE,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    WEEKLY_AMOUNT_LIMIT,
)
from sk_fundload.messages import Featured
from sk_fundload.nodes import (
    CustomerWindows,
    EvaluatePolicies,
    PolicySettings,
    PrimeDays,
    PrimeGate,
    UpdateWindows,
    WindowSettings,
)

MakeChain = Callable[..., Any]
MONDAY, TUESDAY, SUNDAY = "2000-01-03", "2000-01-04", "2000-01-09"


def at(day: str, clock: str = "12:00:00Z") -> str:
    return f"{day}T{clock}"


def loads(*amounts: str, day: str = TUESDAY, customer: str = "1") -> list[tuple[str, ...]]:
    return [(f"{100 + 2 * n}", customer, amount, at(day)) for n, amount in enumerate(amounts)]


def test_the_fourth_attempt_of_a_day_is_declined_whatever_became_of_the_others(
    make_chain: MakeChain,
) -> None:
    amounts = ("$6000.00", "$1.00", "$1.00", "$1.00", "$1.00")
    assert make_chain().reasons(loads(*amounts)) == [
        DAILY_AMOUNT_LIMIT,
        NONE,
        NONE,
        DAILY_ATTEMPT_LIMIT,
        DAILY_ATTEMPT_LIMIT,
    ]


def test_exactly_the_daily_limit_is_allowed_and_a_cent_more_is_not(make_chain: MakeChain) -> None:
    amounts = ("$2000.00", "$3000.00", "$0.01")
    assert make_chain().reasons(loads(*amounts)) == [NONE, NONE, DAILY_AMOUNT_LIMIT]


def test_exactly_the_weekly_limit_is_allowed_and_a_cent_more_is_not(make_chain: MakeChain) -> None:
    days = [*(f"2000-01-0{n}" for n in (3, 4, 5, 6)), SUNDAY, "2000-01-10"]
    amounts = [*["$5000.00"] * 4, "$0.01", "$0.01"]
    attempts = [
        (f"{2 * n}", "1", amount, at(day, "23:59:59Z"))
        for n, (day, amount) in enumerate(zip(days, amounts, strict=True), 100)
    ]
    assert make_chain().reasons(attempts) == [*[NONE] * 4, WEEKLY_AMOUNT_LIMIT, NONE]


def test_a_week_begins_on_the_configured_day(make_chain: MakeChain) -> None:
    sunday_weeks = make_chain("baseline", "nodes.compute_time_keys.week_start=sunday")
    attempts = [(f"{2 * n}", "1", "$5000.00", at(f"2000-01-0{n}")) for n in (2, 3, 4, 5, 9)]
    assert sunday_weeks.reasons(attempts) == [NONE] * 5
    attempts.insert(4, ("98", "1", "$0.01", at("2000-01-08")))
    again = make_chain("baseline", "nodes.compute_time_keys.week_start=sunday")
    assert again.reasons(attempts)[4] == WEEKLY_AMOUNT_LIMIT


def test_a_day_is_a_utc_day_whatever_the_zone(make_chain: MakeChain) -> None:
    attempts = [
        ("10", "1", "$5000.00", at(TUESDAY, "12:00:00Z")),
        ("12", "1", "$0.01", at("2000-01-05", "00:30:00+01:00")),
        ("14", "1", "$0.01", at(TUESDAY, "23:30:00-01:00")),
        ("16", "1", "$0.01", at(MONDAY, "23:30:00-01:00")),
    ]
    assert make_chain().reasons(attempts) == [NONE, DAILY_AMOUNT_LIMIT, NONE, DAILY_AMOUNT_LIMIT]


def test_windows_are_kept_for_days_that_come_late(make_chain: MakeChain) -> None:
    days = ("2000-01-20", TUESDAY, "2000-01-20", TUESDAY)
    attempts = [(f"{2 * n}", "1", "$3000.00", at(day)) for n, day in enumerate(days, 10)]
    expected = [NONE, NONE, DAILY_AMOUNT_LIMIT, DAILY_AMOUNT_LIMIT]
    assert make_chain().reasons(attempts) == expected


def test_customers_have_windows_of_their_own_and_zeros_make_another_one(
    make_chain: MakeChain,
) -> None:
    attempts = [
        ("10", "7", "$5000.00", at(TUESDAY)),
        ("12", "8", "$5000.00", at(TUESDAY)),
        ("14", "007", "$5000.00", at(TUESDAY)),
    ]
    assert make_chain().reasons(attempts) == [NONE] * 3


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (("10", "1", "$100.00", "2000-01-04T12:00:00Z"), ID_DUPLICATE_REPLAY),
        ((" 10", "1\t", "USD100.00", "2000-01-04t13:00:00.000+01:00"), ID_DUPLICATE_REPLAY),
        (("10", "2", "$100.00", "2000-01-04T12:00:00Z"), ID_DUPLICATE_CONFLICT),
        (("10", "01", "$100.00", "2000-01-04T12:00:00Z"), ID_DUPLICATE_CONFLICT),
        (("10", "1", "$100.01", "2000-01-04T12:00:00Z"), ID_DUPLICATE_CONFLICT),
        (("10", "1", "$100.00", "2000-01-04T12:00:00.000001Z"), ID_DUPLICATE_CONFLICT),
        (("010", "1", "$100.00", "2000-01-04T12:00:00Z"), NONE),
    ],
)
def test_a_known_id_is_a_replay_when_all_else_is_the_same_and_else_a_conflict(
    make_chain: MakeChain, changed: tuple[str, ...], reason: str
) -> None:
    first = ("10", "1", "$100.00", "2000-01-04T12:00:00Z")
    assert make_chain().reasons([first, changed]) == [NONE, reason]


def test_it_is_the_first_attempt_that_later_ones_are_compared_with(make_chain: MakeChain) -> None:
    first, other = ("10", "1", "$9000.00", at(TUESDAY)), ("10", "1", "$1.00", at(TUESDAY))
    assert make_chain().reasons([first, other, other, first]) == [
        DAILY_AMOUNT_LIMIT,
        ID_DUPLICATE_CONFLICT,
        ID_DUPLICATE_CONFLICT,
        ID_DUPLICATE_REPLAY,
    ]


def test_a_duplicate_touches_no_window(make_chain: MakeChain) -> None:
    once = ("10", "1", "$2500.00", at(TUESDAY))
    attempts = [*[once] * 5, ("12", "1", "$2500.00", at(TUESDAY))]
    assert make_chain().reasons(attempts) == [NONE, *[ID_DUPLICATE_REPLAY] * 4, NONE]


def test_an_unreadable_line_bypasses_ids_and_windows(make_chain: MakeChain) -> None:
    chain = make_chain()
    attempts = [
        ("10", "1", "$100", at(TUESDAY)),
        ("10", "1", "$100.00", "never"),
        ("10", "1", "$100.00", at(TUESDAY)),
    ]
    assert chain.reasons(attempts)[2] == NONE
    assert len(chain.first.by_id) == 1
    assert sum(chain.windows.weeks.popitem()[1]["1"][:7]) == 1


def test_monday_counts_double_only_where_the_rule_is_on(make_chain: MakeChain) -> None:
    attempts = [
        ("10", "1", "$2500.00", at(MONDAY)),
        ("12", "1", "$0.01", at(MONDAY)),
        ("14", "2", "$2500.01", at(MONDAY, "23:59:59Z")),
        ("16", "2", "$2500.01", at(MONDAY, "23:59:59-01:00")),
    ]
    assert make_chain("baseline").reasons(attempts) == [NONE] * 4
    expected = [NONE, DAILY_AMOUNT_LIMIT, DAILY_AMOUNT_LIMIT, NONE]
    assert make_chain("exp_mp").reasons(attempts) == expected


def test_monday_counts_double_in_the_week_as_well(make_chain: MakeChain) -> None:
    days = [(MONDAY, "$2500.00"), *((f"2000-01-0{n}", "$5000.00") for n in (4, 5, 6, 7))]
    attempts = [(f"{2 * n}", "1", amount, at(day)) for n, (day, amount) in enumerate(days, 10)]
    assert make_chain("exp_mp").reasons(attempts) == [*[NONE] * 4, WEEKLY_AMOUNT_LIMIT]


def test_one_prime_id_a_day_is_accepted_over_all_customers(make_chain: MakeChain) -> None:
    attempts = [
        ("11", "1", "$5000.01", at(TUESDAY)),
        ("13", "1", "$1.00", at(TUESDAY)),
        ("17", "2", "$1.00", at(TUESDAY)),
        ("0019", "3", "$1.00", at(TUESDAY)),
        ("21", "3", "$1.00", at(TUESDAY)),
        ("23", "3", "$1.00", at("2000-01-05")),
    ]
    assert make_chain("exp_mp").reasons(attempts) == [
        DAILY_AMOUNT_LIMIT,
        NONE,
        PRIME_DAILY_GLOBAL_LIMIT,
        PRIME_DAILY_GLOBAL_LIMIT,
        NONE,
        NONE,
    ]
    assert PRIME_DAILY_GLOBAL_LIMIT not in make_chain("baseline").reasons(attempts)


def test_the_prime_cap_is_of_the_effective_amount_and_comes_first(make_chain: MakeChain) -> None:
    attempts = [
        ("11", "1", "$9999.00", at(TUESDAY)),
        ("13", "2", "$9999.01", at(TUESDAY)),
        ("17", "3", "$4999.50", at(MONDAY)),
        ("19", "4", "$4999.51", at(MONDAY)),
        ("23", "5", "$1.00", at(TUESDAY)),
        ("29", "6", "$9999.01", at(TUESDAY)),
    ]
    assert make_chain("exp_mp").reasons(attempts) == [
        DAILY_AMOUNT_LIMIT,
        PRIME_AMOUNT_CAP,
        DAILY_AMOUNT_LIMIT,
        PRIME_AMOUNT_CAP,
        NONE,
        PRIME_AMOUNT_CAP,
    ]


def test_attempts_are_counted_before_the_prime_rule_is_asked(make_chain: MakeChain) -> None:
    attempts = [*loads("$1.00", "$1.00", "$1.00"), ("11", "1", "$99999.00", at(TUESDAY))]
    assert make_chain("exp_mp").reasons(attempts)[-1] == DAILY_ATTEMPT_LIMIT


def test_every_limit_is_a_setting(make_chain: MakeChain) -> None:
    chain = make_chain(
        "exp_mp",
        "nodes.compute_features.monday_multiplier=3",
        "nodes.evaluate_policies.daily_attempts=1",
        "nodes.evaluate_policies.daily_cents=300",
        "nodes.evaluate_policies.weekly_cents=500",
        "nodes.evaluate_policies.prime_gate={cap_cents: 100, per_day: 0}",
    )
    attempts = [
        ("10", "1", "$1.00", at(MONDAY)),
        ("12", "1", "$0.01", at(MONDAY)),
        ("14", "1", "$3.01", at(TUESDAY)),
        ("16", "1", "$2.01", at("2000-01-05")),
        ("11", "2", "$1.01", at(TUESDAY)),
        ("13", "3", "$1.00", at(TUESDAY)),
    ]
    assert chain.reasons(attempts) == [
        NONE,
        DAILY_ATTEMPT_LIMIT,
        DAILY_AMOUNT_LIMIT,
        WEEKLY_AMOUNT_LIMIT,
        PRIME_AMOUNT_CAP,
        PRIME_DAILY_GLOBAL_LIMIT,
    ]


def test_the_largest_amount_times_the_largest_multiplier_can_travel(make_chain: MakeChain) -> None:
    chain = make_chain("exp_mp", "nodes.compute_features.monday_multiplier=50")
    chain.reasons([("10", "1", "$999999999999999.99", at(MONDAY))])
    record = Featured("1", "1", 99_999_999_999_999_999 * 50, 1, 1, False, "")
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=Featured)
    assert decoded == record


def test_a_customer_s_week_is_all_of_the_states_that_the_garbage_collector_looks_at(
    make_chain: MakeChain,
) -> None:
    chain = make_chain("exp_mp")
    chain.reasons([(id_, "1", "$1.00", at(TUESDAY)) for id_ in ("2", "10", "12")])
    first, windows = chain.first.by_id, chain.windows
    states = [first, *first.values(), windows.names, chain.primes.by_day]
    assert (len(first), len(chain.primes.by_day)) == (3, 1)
    assert [state for state in states if gc.is_tracked(state)] == []
    assert sum(len(week) for week in windows.weeks.values()) == 1


@pytest.mark.parametrize("prime", [False, True])
def test_evaluate_reads_the_windows_and_changes_none(prime: bool) -> None:
    windows, primes = CustomerWindows(), PrimeDays()
    evaluate = EvaluatePolicies(PolicySettings(prime_gate=PrimeGate()), windows, primes)
    update = UpdateWindows(WindowSettings(prime_gate=True), windows, primes)
    for customer in ("1", "2", "1"):
        featured = Featured("7", customer, 100, 5, 1, prime, "")
        before = repr((windows.weeks, primes.by_day))
        judged = evaluate(featured)
        assert repr((windows.weeks, primes.by_day)) == before
        update(judged)
        assert repr(windows.weeks) not in before


def test_without_the_prime_gate_no_global_state_is_asked_for() -> None:
    gated = PolicySettings(prime_gate=PrimeGate())
    assert EvaluatePolicies.states(PolicySettings()) == (CustomerWindows,)
    assert EvaluatePolicies.states(gated) == (CustomerWindows, PrimeDays)
    assert UpdateWindows.states(WindowSettings()) == (CustomerWindows,)
    assert UpdateWindows.states(WindowSettings(prime_gate=True)) == (CustomerWindows, PrimeDays)


def test_without_the_prime_gate_the_policies_run_without_the_global_state() -> None:
    windows = CustomerWindows()
    evaluate = EvaluatePolicies(PolicySettings(), windows, None)
    update = UpdateWindows(WindowSettings(), windows, None)
    decision = update(evaluate(Featured("7", "1", 100, 5, 1, True, "")))
    assert decision.accepted


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (PolicySettings, {"daily_attempts": -1}),
        (PolicySettings, {"daily_cents": "5000.00"}),
        (PolicySettings, {"weekly_cents": 0.5}),
        (PolicySettings, {"daily_limit": 1}),
        (PolicySettings, {"prime_gate": {"cap": 1}}),
        (PolicySettings, {"prime_gate": True}),
        (WindowSettings, {"prime_gate": "yes"}),
    ],
)
def test_settings_that_are_no_rule_are_refused(model: type, fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, model)
