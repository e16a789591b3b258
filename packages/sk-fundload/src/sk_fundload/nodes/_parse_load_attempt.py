"""Parsing a line of bytes to an attempt, or to a record with the reason why it is unreadable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder
from sk_kernel import node

from sk_fundload.domain import (
    LEADING_ZERO,
    SHORT_LINE_BYTES,
    TOO_LATE,
    InstantReader,
    RetentionDays,
    day_of,
    may_be_deep,
    parse_cents,
    read_digits,
    read_line,
)
from sk_fundload.messages import LoadAttempt, RawLine, Unreadable
from sk_fundload.nodes._states import NewestDay

REJECT_BYTES: Final = 1024
_BACKSLASH: Final = ord("\\")
_HEAD: Final = InstantReader.HEAD
_TAIL: Final = InstantReader.TAIL

_Id = Annotated[str, Meta(min_length=1, max_length=40)]


class _Fields(Struct, gc=False):
    """The usual line. The limits on lengths make most further checks of lengths unnecessary."""

    id: _Id
    customer_id: _Id
    load_amount: Annotated[str, Meta(min_length=5, max_length=18)]
    time: str


class ReadSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of days before the newest day that are not too late; None for no limit."""

    retention_days: RetentionDays | None = None


@node(name="parse_load_attempt", stage="ingress")
class ParseLoadAttempt:
    """Parse a line: on a fast path if it has the usual form, else on a complete, slow path.

    Both paths have the same results: if the fast path might differ, it leaves the line to
    `sk_fundload.domain.read_line`, which also determines the reason for an unreadable line.
    """

    def __init__(self, settings: ReadSettings, newest: NewestDay | None) -> None:
        self._retention, self._newest = settings.retention_days or 0, newest
        self._decode = Decoder(_Fields).decode
        self._instants = InstantReader()

    @classmethod
    def states(cls, settings: ReadSettings) -> tuple[type, ...]:
        """Return the states. Without a retention there is none."""
        return (NewestDay,) if settings.retention_days else ()

    def __call__(self, line: RawLine) -> LoadAttempt | Unreadable:
        """Parse one line."""
        return self.process_batch((line,))[0]

    def process_batch(self, lines: Sequence[RawLine]) -> list[LoadAttempt | Unreadable]:
        """Parse several lines; the loop calls no Python function for a usual line, to be fast."""
        decode, with_care, newest = self._decode, self._with_care, self._newest
        hours, rests, instant_of = self._instants.hours, self._instants.rests, self._instants.read
        read: list[LoadAttempt | Unreadable] = []
        add = read.append
        for line in lines:
            data = line.data
            if (
                not data.isascii()  # for ASCII strings isdigit() means 0 to 9
                or _BACKSLASH in data  # the decoder does not check escapes in unknown fields
                or (len(data) > SHORT_LINE_BYTES and may_be_deep(data))
            ):
                add(with_care(line))
                continue
            try:
                fields = decode(data)
            except (DecodeError, RecursionError):
                add(with_care(line))
                continue
            id_, customer = fields.id, fields.customer_id
            amount, time = fields.load_amount, fields.time
            bare = amount.removeprefix("USD").removeprefix("$")
            digits = bare.replace(".", "", 1)  # a second point stays, and is not a digit
            cents: int | None
            # At least three digits, so that there is one before the point.
            if len(digits) > 2 and digits.isdigit() and bare[-3] == ".":
                try:
                    cents = read_digits(digits)
                except LEADING_ZERO:
                    cents = int(digits)
            else:
                cents = parse_cents(amount)
            instant: int | None
            try:
                instant = hours[time[_HEAD]] + rests[time[_TAIL]]
            except KeyError:
                instant = instant_of(time)
            if cents is None or instant is None or not (id_.isdigit() and customer.isdigit()):
                add(with_care(line))
            elif newest is not None and self._is_late(instant, newest):
                add(_account(line, id_, customer, TOO_LATE))
            else:
                add(LoadAttempt(id_, customer, cents, instant))
        return read

    def _with_care(self, line: RawLine) -> LoadAttempt | Unreadable:
        read = read_line(line.data)
        if read.reason:
            return _account(line, read.id, read.customer_id, read.reason)
        if self._newest is not None and self._is_late(read.instant, self._newest):
            return _account(line, read.id, read.customer_id, TOO_LATE)
        return LoadAttempt(read.id, read.customer_id, read.cents, read.instant)

    def _is_late(self, instant: int, newest: NewestDay) -> bool:
        day = day_of(instant)
        newest.day = max(day, newest.day)
        return day < newest.day - self._retention


def _account(line: RawLine, id_: str, customer: str, reason: str) -> Unreadable:
    return Unreadable(line.line_no, id_, customer, reason, line.data[:REJECT_BYTES])
