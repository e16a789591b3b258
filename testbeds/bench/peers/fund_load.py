"""Fund load as four plain stages: every peer calls these, so that only the plumbing differs.

    read_attempts, then Features, then Policies, then Writer

They are written as for speed by hand: one typed decode of the usual line, records that the garbage
collector skips, day and week as integers, both halves of a time remembered. What is not the usual
line goes to `sk_fundload.domain.read_line`, a plain function that knows every way to be unreadable;
it and the other helpers of that package need msgspec and nothing of the runtime.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Final

import marks
import msgspec
from msgspec import Meta, Struct
from sk_fundload.domain import (
    DAILY_AMOUNT_LIMIT,
    DAILY_ATTEMPT_LIMIT,
    DAY,
    DAY_SUMS,
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    LEADING_ZERO,
    MAX_LINE_BYTES,
    NO_WEEK,
    NONE,
    PRIME_AMOUNT_CAP,
    PRIME_DAILY_GLOBAL_LIMIT,
    SHORT_LINE_BYTES,
    WEEK_SUM,
    WEEKLY_AMOUNT_LIMIT,
    WHITE_SPACE,
    InstantReader,
    PrimeIds,
    WeekWindow,
    parse_cents,
    read_digits,
    read_line,
)

BATCH: Final = 1_000
BOM: Final = b"\xef\xbb\xbf"
BACKSLASH: Final = ord("\\")
_BLANK: Final = WHITE_SPACE.encode()
_REJECT_BYTES: Final = 1024


class Rules(Struct, frozen=True):
    """The numbers of a rule set; amounts in cents, weeks from Monday."""

    monday_multiplier: int = 1
    prime_gate: bool = False
    daily_attempts: int = 3
    daily_cents: int = 5_000_00
    weekly_cents: int = 20_000_00
    prime_cap_cents: int = 9_999_00
    primes_per_day: int = 1


RULE_SETS: Final = {
    "baseline": Rules(),
    "exp_mp": Rules(monday_multiplier=2, prime_gate=True),
}


class Fields(Struct, gc=False):
    """The usual line. The lengths rule out what the quick checks do not look at."""

    id: Annotated[str, Meta(min_length=1, max_length=40)]
    customer_id: Annotated[str, Meta(min_length=1, max_length=40)]
    load_amount: Annotated[str, Meta(min_length=5, max_length=18)]
    time: str


class Attempt(Struct, array_like=True, frozen=True, gc=False):
    """A line as read. Where it cannot be, ``reason`` and ``reject``, its finished account, say."""

    id: str
    customer_id: str
    cents: int
    instant: int
    reason: str = NONE
    reject: bytes = b""


class Featured(Struct, array_like=True, frozen=True, gc=False):
    """An attempt with its keys and features; ``reason`` is why it declines, as far as is known."""

    id: str
    customer_id: str
    effective: int
    day: int
    week: int
    is_prime: bool
    reason: str = NONE
    reject: bytes = b""


class Decision(Struct, array_like=True, frozen=True, gc=False):
    """The verdict: no ``reason`` accepts."""

    id: str
    customer_id: str
    reason: str
    reject: bytes = b""


class _Reject(Struct, gc=False):
    line_no: int
    reason: str
    text: str


_encode = msgspec.json.Encoder().encode


def read_with_care(line_no: int, line: bytes) -> Attempt | None:
    """Read any line, its end included; None when it is blank."""
    data = line.removesuffix(b"\n").removesuffix(b"\r")
    if line_no == 1:
        data = data.removeprefix(BOM)
    if not data.strip(_BLANK) and len(data) <= MAX_LINE_BYTES:
        return None
    read = read_line(data)
    if not read.reason:
        return Attempt(read.id, read.customer_id, read.cents, read.instant)
    text = data[:_REJECT_BYTES].decode("utf-8", "replace")
    reject = _encode(_Reject(line_no, read.reason, text)) + b"\n"
    return Attempt(read.id, read.customer_id, 0, 0, read.reason, reject)


class Reader:
    """A line of bytes to an attempt: at once where it is as nearly all lines are."""

    def __init__(self) -> None:
        self.decode = msgspec.json.Decoder(Fields).decode
        self.instants = InstantReader()
        self.hours, self.rests = self.instants.hours, self.instants.rests

    def __call__(self, line_no: int, line: bytes) -> Attempt | None:
        """Read one line, its end included; None when it is blank."""
        if not line.isascii() or BACKSLASH in line or len(line) > SHORT_LINE_BYTES:
            return read_with_care(line_no, line)
        try:
            fields = self.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return read_with_care(line_no, line)
        id_, customer, time = fields.id, fields.customer_id, fields.time
        bare = fields.load_amount.removeprefix("USD").removeprefix("$")
        digits = bare.replace(".", "", 1)
        instant: int | None
        try:
            instant = self.hours[time[InstantReader.HEAD]] + self.rests[time[InstantReader.TAIL]]
        except KeyError:
            instant = self.instants.read(time)
        plain = len(digits) > 2 and digits.isdigit() and bare[-3] == "."
        try:
            cents = read_digits(digits) if plain else parse_cents(fields.load_amount)
        except LEADING_ZERO:
            cents = int(digits)
        if cents is None or instant is None or not (id_.isdigit() and customer.isdigit()):
            return read_with_care(line_no, line)
        return Attempt(id_, customer, cents, instant)


def numbered_batches(path: str) -> Iterator[list[tuple[int, bytes]]]:
    """Give a file's lines, numbered from 1, in batches."""
    with open(path, "rb") as file:
        marks.first_record()
        numbered = enumerate(file, 1)
        while batch := list(islice(numbered, BATCH)):
            yield batch


def read_attempts(path: str) -> Iterator[list[Attempt]]:
    """Give a file's attempts in batches, in order."""
    read = Reader()
    for batch in numbered_batches(path):
        attempts = [read(line_no, line) for line_no, line in batch]
        yield [attempt for attempt in attempts if attempt is not None]


class Features:
    """Keys of time, replay or conflict, the amount that counts, and whether the id is prime."""

    def __init__(self, rules: Rules) -> None:
        self._multiplier = rules.monday_multiplier
        self._is_prime = PrimeIds().contains if rules.prime_gate else None
        self._first: dict[str, tuple[str, int, int]] = {}

    def __call__(self, attempt: Attempt) -> Featured:
        """Add what the policies look at."""
        id_, customer, instant = attempt.id, attempt.customer_id, attempt.instant
        if attempt.reject:
            return Featured(id_, customer, 0, 0, 0, False, attempt.reason, attempt.reject)
        cents = effective = attempt.cents
        day = instant // DAY + 1
        weekday = (day - 1) % 7
        if weekday == 0:
            effective *= self._multiplier
        this = (customer, cents, instant)
        first = self._first.setdefault(id_, this)
        if first is this:
            reason = NONE
        else:
            reason = ID_DUPLICATE_REPLAY if first == this else ID_DUPLICATE_CONFLICT
        is_prime = self._is_prime is not None and self._is_prime(id_)
        return Featured(id_, customer, effective, day, day - weekday, is_prime, reason)


class Policies:
    """The limits and the windows, one record at a time, in order."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._weeks: dict[int, dict[str, WeekWindow]] = {}
        self._primes: dict[int, int] = {}

    def __call__(self, featured: Featured) -> Decision:
        """Decide on one attempt."""
        reason = featured.reason or self._decide(featured)
        return Decision(featured.id, featured.customer_id, reason, featured.reject)

    def _decide(self, featured: Featured) -> str:
        rules, effective = self._rules, featured.effective
        customer, day, week = featured.customer_id, featured.day, featured.week
        try:
            window = self._weeks[week][customer]
        except KeyError:
            window = self._weeks.setdefault(week, {})[customer] = NO_WEEK.copy()
        at = day - week
        window[at] += 1
        if window[at] > rules.daily_attempts:
            return DAILY_ATTEMPT_LIMIT
        if featured.is_prime:
            if effective > rules.prime_cap_cents:
                return PRIME_AMOUNT_CAP
            if self._primes.get(day, 0) >= rules.primes_per_day:
                return PRIME_DAILY_GLOBAL_LIMIT
        if window[at + DAY_SUMS] + effective > rules.daily_cents:
            return DAILY_AMOUNT_LIMIT
        if window[WEEK_SUM] + effective > rules.weekly_cents:
            return WEEKLY_AMOUNT_LIMIT
        window[at + DAY_SUMS] += effective
        window[WEEK_SUM] += effective
        if featured.is_prime:
            self._primes[day] = self._primes.get(day, 0) + 1
        return NONE


class Writer:
    """Both files, written batch by batch, and the count of each reason."""

    def __init__(self, output: str, rejects: str) -> None:
        self._output = open(output, "wb")  # noqa: SIM115 - closed by close
        self._rejects = open(rejects, "wb")  # noqa: SIM115
        self._reasons: Counter[str] = Counter()

    def write(self, decisions: Sequence[Decision]) -> None:
        """Write a batch."""
        self._output.write("".join(map(output_line, decisions)).encode())
        self._rejects.write(b"".join([decision.reject for decision in decisions]))
        self._reasons.update([decision.reason for decision in decisions])

    def close(self) -> None:
        """Finish both files, and say so."""
        self._output.close()
        self._rejects.close()
        marks.last_byte(self._reasons)


def output_line(decision: Decision) -> str:
    """Give the line of output. Ids are digits or empty: nothing needs escaping."""
    accepted = "false" if decision.reason else "true"
    head = f'{{"id":"{decision.id}","customer_id":"{decision.customer_id}"'
    return f'{head},"accepted":{accepted}}}\n'


def told() -> tuple[str, str, str, str]:
    """Give what every peer is told: rule set, input, output, rejects."""
    rules, source, output, rejects = sys.argv[1:5]
    return rules, source, output, rejects
