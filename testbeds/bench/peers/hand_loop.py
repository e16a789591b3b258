"""One process, one tight loop, the garbage collector off: the yardstick ``H`` of all the others.

    python hand_loop.py RULES INPUT OUTPUT REJECTS

It does what the specification asks for: tells replay from conflict, accounts for what cannot be
read, and counts every reason. Nothing in it can be named, observed or placed anywhere else.
"""

from __future__ import annotations

import gc

import marks
from fund_load import BACKSLASH, RULE_SETS, Reader, Rules, numbered_batches, told
from msgspec import DecodeError
from sk_fundload.domain import (
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    DAY,
    DAY_SUMS,
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    LEADING_ZERO,
    NO_WEEK,
    NONE,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    SHORT_LINE_BYTES,
    WEEK_SUM,
    WEEKLY_AMOUNT_LIMIT,
    PrimeIds,
    read_digits,
)


class HandLoop:
    """What outlives a batch, and the loop over one."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.read = Reader()
        self.primes = PrimeIds()
        self.first: dict[str, tuple[str, int, int]] = {}
        self.weeks: dict[int, dict[str, list[int]]] = {}
        self.prime_days: dict[int, int] = {}
        self.counts: dict[str, int] = {}

    def decide(self, batch: list[tuple[int, bytes]], rejects: list[bytes]) -> str:
        """Give the output of numbered lines, and put the accounts of unreadable ones to rejects."""
        read, decode, is_prime = self.read, self.read.decode, self.primes.contains
        hours, rests = read.instants.hours, read.instants.rests
        rules, weeks, prime_days = self.rules, self.weeks, self.prime_days
        max_attempts, max_day, max_week = (
            rules.daily_attempts,
            rules.daily_cents,
            rules.weekly_cents,
        )
        prime_gate, multiplier, counts = rules.prime_gate, rules.monday_multiplier, self.counts
        remember, lines = self.first.setdefault, list[str]()
        begin, day, weekday = -DAY, 0, 0
        for line_no, line in batch:
            reason = NONE
            try:
                fields = decode(line)
                id_, customer, time = fields.id, fields.customer_id, fields.time
                bare = fields.load_amount.removeprefix("USD").removeprefix("$")
                digits = bare.replace(".", "", 1)
                instant = hours[time[:13]] + rests[time[13:]]
                usual = len(digits) > 2 and bare[-3] == "." and digits.isdigit() and id_.isdigit()
                usual = usual and customer.isdigit() and line.isascii() and BACKSLASH not in line
            except (DecodeError, KeyError, RecursionError, UnicodeDecodeError):
                usual = False
            if usual and len(line) <= SHORT_LINE_BYTES:
                try:
                    cents = read_digits(digits)
                except LEADING_ZERO:
                    cents = int(digits)
            elif attempt := read(line_no, line):
                id_, customer, reason = attempt.id, attempt.customer_id, attempt.reason
                cents, instant = attempt.cents, attempt.instant
                rejects.append(attempt.reject)
            else:
                continue
            this = (customer, cents, instant)
            if reason:
                pass
            elif (first := remember(id_, this)) is not this:
                reason = ID_DUPLICATE_REPLAY if first == this else ID_DUPLICATE_CONFLICT
            else:
                if not begin <= instant < begin + DAY:  # another day than that of the line before
                    day = instant // DAY + 1
                    begin, weekday = instant - instant % DAY, (day - 1) % 7
                if weekday == 0:
                    cents *= multiplier
                try:
                    window = weeks[day - weekday][customer]
                except KeyError:
                    window = weeks.setdefault(day - weekday, {})[customer] = NO_WEEK.copy()
                window[weekday] += 1
                prime = prime_gate and id_[-1] not in "0468" and is_prime(id_)
                if window[weekday] > max_attempts:
                    reason = DAILY_ATTEMPT_LIMIT
                elif prime and cents > rules.prime_cap_cents:
                    reason = PRIME_AMOUNT_CAP
                elif prime and prime_days.get(day, 0) >= rules.primes_per_day:
                    reason = PRIME_DAILY_GLOBAL_LIMIT
                elif (day_sum := window[weekday + DAY_SUMS] + cents) > max_day:
                    reason = DAILY_AMOUNT_LIMIT
                elif (week_sum := window[WEEK_SUM] + cents) > max_week:
                    reason = WEEKLY_AMOUNT_LIMIT
                else:
                    window[weekday + DAY_SUMS], window[WEEK_SUM] = day_sum, week_sum
                    prime_days[day] = prime_days.get(day, 0) + prime
            accepted = "false" if reason else "true"
            lines.append(f'{{"id":"{id_}","customer_id":"{customer}","accepted":{accepted}}}\n')
            counts[reason] = counts.get(reason, 0) + 1
        return "".join(lines)


def main() -> None:
    """Run the loop over a file."""
    gc.disable()
    rules, source, output, rejects = told()
    loop = HandLoop(RULE_SETS[rules])
    with open(output, "wb") as decisions, open(rejects, "wb") as accounts:
        for batch in numbered_batches(source):
            rejected: list[bytes] = []
            decisions.write(loop.decide(batch, rejected).encode())
            accounts.write(b"".join(rejected))
    marks.last_byte(loop.counts)


if __name__ == "__main__":
    main()
