"""The rules, each case computed by hand.

2000-01-01 was a Saturday; the week of Monday 2000-01-03 ends with Sunday 2000-01-09.
Ids that are not prime where primes are not meant: 100 to 140, even ones.
"""

from __future__ import annotations

import pytest
from fundload_reference import Reason
from reference_bench import load, outcomes, reasons

OK = None
REPLAY = Reason.ID_DUPLICATE_REPLAY
CONFLICT = Reason.ID_DUPLICATE_CONFLICT
ATTEMPTS = Reason.DAILY_ATTEMPT_LIMIT
CAP = Reason.PRIME_AMOUNT_CAP
PRIME_LIMIT = Reason.PRIME_DAILY_GLOBAL_LIMIT
DAILY = Reason.DAILY_AMOUNT_LIMIT
WEEKLY = Reason.WEEKLY_AMOUNT_LIMIT

both_rule_sets = pytest.mark.parametrize("rules", ["baseline", "exp_mp"])


def at(day: int, clock: str = "12:00:00Z") -> str:
    """A time in January 2000."""
    return f"2000-01-{day:02}T{clock}"


# ---- output


def test_the_output_line_has_three_keys_and_keeps_the_ids_as_text() -> None:
    accepted, declined = outcomes(load(id=15, customer=" 0528 "), load(id="15"))
    assert accepted.output == b'{"id":"15","customer_id":"0528","accepted":true}\n'
    assert declined.output == b'{"id":"15","customer_id":"1","accepted":false}\n'


# ---- duplicates


@pytest.mark.parametrize(
    "later",
    [
        load(),
        load(id=1, customer=1, amount="USD1.00"),
        load(id=" 1 ", customer="1\n", amount="01.00"),
        load(time="2000-01-04T13:30:00+01:30"),
        load(time="2000-01-04t12:00:00.000z"),
        load(note="more"),
    ],
)
def test_the_same_customer_amount_and_instant_is_a_replay(later: bytes) -> None:
    assert reasons(load(), later) == [OK, REPLAY]


@pytest.mark.parametrize(
    "later",
    [
        load(customer="2"),
        load(customer="01"),
        load(amount="$1.01"),
        load(time="2000-01-04T12:00:00.000001Z"),
        load(time="2000-01-04T12:00:00+01:00"),
    ],
)
def test_anything_else_of_the_three_is_a_conflict(later: bytes) -> None:
    assert reasons(load(), later) == [OK, CONFLICT]


def test_ids_are_compared_as_text() -> None:
    assert reasons(load(id="7"), load(id="007"), load(id="07")) == [OK, OK, OK]


def test_later_ones_are_compared_with_the_first_and_not_with_each_other() -> None:
    other = load(amount="$2.00")
    assert reasons(load(), other, other, load()) == [OK, CONFLICT, CONFLICT, REPLAY]


def test_a_declined_attempt_makes_its_id_known() -> None:
    assert reasons(load(amount="$5000.01"), load(amount="$5000.01"), load()) == [
        DAILY,
        REPLAY,
        CONFLICT,
    ]


def test_an_unreadable_line_does_not_make_its_id_known() -> None:
    assert reasons(load(amount="x"), load()) == [Reason.INVALID_AMOUNT_FORMAT, OK]


def test_an_unreadable_line_with_a_known_id_is_no_duplicate() -> None:
    assert reasons(load(), load(time="x")) == [OK, Reason.INVALID_TIMESTAMP]


def test_duplicates_touch_no_window() -> None:
    first = load(id="100", amount="$2500.00")
    again = [first] * 5 + [load(id="100", amount="$1.00")] * 5
    told = reasons(first, *again, load(id="102", amount="$2500.00"), load(id="104", amount="$0.00"))
    assert told == [OK, *[REPLAY] * 5, *[CONFLICT] * 5, OK, OK]


def test_a_duplicate_id_of_another_customer_counts_no_attempt_of_that_one() -> None:
    lines = [load(id="100", customer="1")] + [load(id="100", customer="2")] * 4
    assert reasons(*lines, load(id="102", customer="2")) == [OK, *[CONFLICT] * 4, OK]


def test_an_unreadable_line_touches_no_window() -> None:
    bad = [load(amount="x"), load(time="x"), load(id="x"), b"x"]
    told = reasons(*bad, *(load(id=str(number)) for number in (100, 102, 104)))
    assert told[4:] == [OK, OK, OK]


# ---- attempts


@both_rule_sets
def test_the_fourth_attempt_of_a_day_is_declined(rules: str) -> None:
    lines = [load(id=str(number)) for number in (100, 102, 104, 106, 108)]
    assert reasons(*lines, rules=rules) == [OK, OK, OK, ATTEMPTS, ATTEMPTS]


def test_declined_attempts_count() -> None:
    lines = [load(id=str(number), amount="$5000.01") for number in (100, 102, 104)]
    assert reasons(*lines, load(id="106", amount="$1.00")) == [DAILY, DAILY, DAILY, ATTEMPTS]


def test_attempts_are_counted_by_customer() -> None:
    lines = [load(id=str(number), customer=str(number % 4)) for number in range(100, 112)]
    assert reasons(*lines) == [OK] * 12


def test_customers_are_told_apart_as_text() -> None:
    lines = [load(id=str(100 + number), customer="0" * number + "5") for number in range(6)]
    assert reasons(*lines) == [OK] * 6


def test_attempts_are_counted_by_the_day_in_utc() -> None:
    lines = [
        load(id="100", time=at(4, "00:00:00Z")),
        load(id="102", time=at(4, "23:59:59.999999Z")),
        load(id="104", time=at(5, "00:30:00+01:00")),  # still the 4th
        load(id="106", time=at(5, "00:00:00Z")),
        load(id="108", time=at(4, "23:30:00-01:00")),  # the 5th
        load(id="110", time=at(4, "12:00:00Z")),
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, OK, ATTEMPTS]


def test_the_attempt_limit_comes_before_the_amount_limits() -> None:
    lines = [load(id=str(number)) for number in (100, 102, 104)]
    assert reasons(*lines, load(id="106", amount="$90000.00"))[-1] == ATTEMPTS


def test_the_attempt_limit_comes_before_the_prime_rule() -> None:
    lines = [load(id=str(number)) for number in (100, 102, 104)]
    assert reasons(*lines, load(id="7", amount="$9999.01"), rules="exp_mp")[-1] == ATTEMPTS


# ---- daily amount


@both_rule_sets
def test_exactly_the_daily_limit_is_allowed(rules: str) -> None:
    assert reasons(load(id="100", amount="$5000.00"), rules=rules) == [OK]
    assert reasons(load(id="100", amount="$5000.01"), rules=rules) == [DAILY]


def test_the_daily_sum_is_exact_to_the_cent() -> None:
    lines = [load(id="100", amount="$4999.99"), load(id="102", amount="$0.01")]
    assert reasons(*lines, load(id="104", amount="$0.01")) == [OK, OK, DAILY]


def test_a_declined_amount_does_not_count() -> None:
    lines = [load(id="100", amount="$3000.00"), load(id="102", amount="$2000.01")]
    assert reasons(*lines, load(id="104", amount="$2000.00")) == [OK, DAILY, OK]


def test_nothing_may_be_loaded_when_the_day_is_full() -> None:
    lines = [load(id="100", amount="$5000.00"), load(id="102", amount="$0.00")]
    assert reasons(*lines) == [OK, OK]


def test_a_day_ends_at_midnight_utc() -> None:
    lines = [
        load(id="100", amount="$5000.00", time=at(4, "23:59:59.999999Z")),
        load(id="102", amount="$5000.00", time=at(5, "00:00:00Z")),
        load(id="104", amount="$0.01", time=at(5, "01:59:59+02:00")),  # the 4th, at 23:59:59
        load(id="106", amount="$0.01", time=at(4, "22:00:00-02:00")),  # the 5th, at 00:00:00
    ]
    assert reasons(*lines) == [OK, OK, DAILY, DAILY]


def test_days_are_kept_apart_whatever_the_order_of_times() -> None:
    lines = [
        load(id="100", amount="$3000.00", time=at(6)),
        load(id="102", amount="$3000.00", time=at(4)),
        load(id="104", amount="$2000.01", time=at(6)),
        load(id="106", amount="$2000.00", time=at(4)),
        load(id="108", amount="$2000.00", time=at(6)),
    ]
    assert reasons(*lines) == [OK, OK, DAILY, OK, OK]


def test_amounts_of_other_customers_do_not_count() -> None:
    lines = [load(id=str(100 + n), customer=str(n), amount="$5000.00") for n in range(4)]
    assert reasons(*lines) == [OK] * 4


# ---- weekly amount


def full_days(*days: int) -> list[bytes]:
    """A load of the daily limit on each of these days."""
    return [load(id=str(100 + 2 * day), amount="$5000.00", time=at(day)) for day in days]


def test_exactly_the_weekly_limit_is_allowed() -> None:
    lines = [*full_days(4, 5, 6, 7), load(id="200", amount="$0.01", time=at(8))]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY]


def test_the_weekly_sum_is_exact_to_the_cent() -> None:
    lines = [
        *full_days(4, 5, 6),
        load(id="200", amount="$4999.99", time=at(7)),
        load(id="202", amount="$0.02", time=at(8)),
        load(id="204", amount="$0.01", time=at(8)),
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY, OK]


def test_a_week_begins_with_its_monday_at_midnight_utc() -> None:
    lines = [
        *full_days(4, 5, 6, 7),
        load(id="200", amount="$1.00", time=at(9, "23:59:59.999999Z")),  # Sunday
        load(id="202", amount="$1.00", time=at(10, "00:00:00Z")),  # Monday
        load(id="204", amount="$1.00", time=at(10, "00:30:00+01:00")),  # still Sunday
        load(id="206", amount="$1.00", time=at(2, "23:59:59Z")),  # Sunday before
        load(id="208", amount="$1.00", time=at(3, "00:00:00Z")),  # Monday of the full week
    ]
    assert reasons(*lines) == [OK] * 4 + [WEEKLY, OK, WEEKLY, OK, WEEKLY]


def test_a_week_goes_on_over_the_end_of_a_year() -> None:
    days = ["1999-12-27", "1999-12-29", "1999-12-31", "2000-01-01", "2000-01-02", "2000-01-03"]
    lines = [
        load(id=str(100 + 2 * n), amount="$5000.00", time=f"{day}T12:00:00Z")
        for n, day in enumerate(days)
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY, OK]


def test_a_week_goes_on_over_a_leap_day() -> None:
    days = ["2000-02-28", "2000-02-29", "2000-03-01", "2000-03-02", "2000-03-05", "2000-03-06"]
    lines = [
        load(id=str(100 + 2 * n), amount="$5000.00", time=f"{day}T12:00:00Z")
        for n, day in enumerate(days)
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY, OK]


def test_the_last_week_of_the_calendar_is_a_week_like_others() -> None:
    days = ["9999-12-27", "9999-12-28", "9999-12-29", "9999-12-30", "9999-12-31"]
    lines = [
        load(id=str(100 + 2 * n), amount="$5000.00", time=f"{day}T12:00:00Z")
        for n, day in enumerate(days)
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY]


def test_the_daily_limit_comes_before_the_weekly_one() -> None:
    lines = [*full_days(4, 5, 6, 7), load(id="200", amount="$0.01", time=at(7))]
    assert reasons(*lines)[-1] == DAILY


def test_a_load_declined_by_the_week_counts_for_no_day() -> None:
    lines = [
        *full_days(4, 5, 6),
        load(id="200", amount="$3000.00", time=at(7)),
        load(id="202", amount="$3000.00", time=at(8)),  # 21 000: declined
        load(id="204", amount="$2000.00", time=at(8)),  # 20 000: the day has room, as the week
    ]
    assert reasons(*lines) == [OK, OK, OK, OK, WEEKLY, OK]


# ---- Monday


def test_on_mondays_the_amount_counts_twice() -> None:
    lines = [
        load(id="100", amount="$2500.01", time=at(3)),
        load(id="102", amount="$2500.00", time=at(3)),
    ]
    assert reasons(*lines, rules="exp_mp") == [DAILY, OK]
    assert reasons(*lines, rules="baseline") == [OK, DAILY]


def test_a_monday_is_one_in_utc() -> None:
    lines = [
        load(id="100", customer="1", amount="$2500.01", time=at(3, "00:00:00Z")),
        load(id="102", customer="2", amount="$2500.01", time=at(3, "00:59:59+01:00")),  # Sunday
        load(id="104", customer="3", amount="$2500.01", time=at(2, "23:00:00-01:00")),  # Monday
        load(id="106", customer="4", amount="$2500.01", time=at(3, "23:59:59.999999Z")),
        load(id="108", customer="5", amount="$2500.01", time=at(4, "00:00:00Z")),  # Tuesday
        load(id="110", customer="6", amount="$2500.01", time="0001-01-01T00:00:00Z"),  # Monday
    ]
    assert reasons(*lines, rules="exp_mp") == [DAILY, OK, DAILY, DAILY, OK, DAILY]


def test_the_sums_hold_what_counted_on_monday() -> None:
    lines = [
        load(id="100", amount="$1500.00", time=at(3)),  # 3 000
        load(id="102", amount="$1000.01", time=at(3)),  # 5 000.02
        load(id="104", amount="$1000.00", time=at(3)),  # 5 000.00
        *full_days(4, 5, 6),
        load(id="200", amount="$0.01", time=at(7)),
    ]
    told = reasons(*lines, rules="exp_mp")
    assert told == [OK, DAILY, OK, OK, OK, OK, WEEKLY]


def test_the_weekly_limit_is_of_what_counts_on_a_monday() -> None:
    lines = [
        *full_days(4, 5, 6),
        load(id="200", amount="$4000.00", time=at(7)),  # 19 000
        load(id="202", amount="$500.01", time=at(3)),  # 20 000.02
        load(id="204", amount="$500.00", time=at(3)),  # 20 000.00
    ]
    assert reasons(*lines, rules="exp_mp")[3:] == [OK, WEEKLY, OK]


def test_a_replay_is_judged_by_the_amount_as_given() -> None:
    lines = [load(id="100", amount="$1.00", time=at(3)), load(id="100", amount="$2.00", time=at(3))]
    assert reasons(*lines, lines[0], rules="exp_mp") == [OK, CONFLICT, REPLAY]


# ---- primes


def test_one_prime_id_a_day_is_accepted_over_all_customers() -> None:
    lines = [load(id="7", customer="1"), load(id="11", customer="2"), load(id="8", customer="2")]
    assert reasons(*lines, rules="exp_mp") == [OK, PRIME_LIMIT, OK]


def test_baseline_knows_no_primes() -> None:
    lines = [load(id="7", customer="1"), load(id="11", customer="2")]
    assert reasons(*lines, load(id="13", customer="3", amount="$9999.01")) == [OK, OK, DAILY]


def test_the_day_of_a_prime_is_the_one_in_utc() -> None:
    lines = [
        load(id="7", time=at(4, "23:59:59.999999Z")),
        load(id="11", time=at(5, "00:00:00Z")),
        load(id="13", time=at(5, "01:00:00+01:00")),  # the 5th
        load(id="17", time=at(5, "00:30:00+01:00")),  # the 4th
    ]
    assert reasons(*lines, rules="exp_mp") == [OK, OK, PRIME_LIMIT, PRIME_LIMIT]


def test_only_an_accepted_prime_id_counts() -> None:
    lines = [
        load(id="7", customer="1", amount="$5000.01"),
        load(id="11", customer="2", amount="$9999.01"),
        load(id="13", customer="3", amount="$1.00"),
        load(id="17", customer="4", amount="$1.00"),
    ]
    assert reasons(*lines, rules="exp_mp") == [DAILY, CAP, OK, PRIME_LIMIT]


def test_exactly_the_cap_is_allowed_by_the_cap() -> None:
    assert reasons(load(id="7", amount="$9999.00"), rules="exp_mp") == [DAILY]
    assert reasons(load(id="7", amount="$9999.01"), rules="exp_mp") == [CAP]
    assert reasons(load(id="8", amount="$9999.01"), rules="exp_mp") == [DAILY]


def test_the_cap_is_of_what_counts_on_a_monday() -> None:
    assert reasons(load(id="7", amount="$4999.50", time=at(3)), rules="exp_mp") == [DAILY]
    assert reasons(load(id="7", amount="$4999.51", time=at(3)), rules="exp_mp") == [CAP]


def test_the_cap_comes_before_the_limit_of_one_a_day() -> None:
    lines = [load(id="7", customer="1"), load(id="11", customer="2", amount="$9999.01")]
    assert reasons(*lines, rules="exp_mp") == [OK, CAP]


def test_the_limit_of_one_a_day_comes_before_the_daily_amount() -> None:
    lines = [load(id="7", customer="1"), load(id="11", customer="2", amount="$5000.01")]
    assert reasons(*lines, rules="exp_mp") == [OK, PRIME_LIMIT]


def test_a_declined_prime_id_counts_as_an_attempt() -> None:
    lines = [load(id="7", customer="9")]
    lines += [load(id=str(prime), customer="1") for prime in (11, 13, 17)]
    told = reasons(*lines, load(id="100", customer="1"), rules="exp_mp")
    assert told == [OK, PRIME_LIMIT, PRIME_LIMIT, PRIME_LIMIT, ATTEMPTS]


def test_a_replayed_prime_id_does_not_count() -> None:
    lines = [load(id="7"), load(id="7"), load(id="11", time=at(5))]
    assert reasons(*lines, rules="exp_mp") == [OK, REPLAY, OK]
