"""An attempt to load funds, and the different ways to write it as a line."""

from __future__ import annotations

import random
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

DAY: Final = 86_400
_PREFIXES: Final = ("$", "$", "$", "$", "USD", "USD$", "$USD", "")


class Attempt(NamedTuple):
    """An attempt; ``second`` counts from 0001-01-01T00:00:00Z."""

    id: str
    customer_id: str
    cents: int
    second: int


def amount_text(cents: int, prefix: str = "$") -> str:
    """Format cents as an amount of the input."""
    return f"{prefix}{cents // 100}.{cents % 100:02d}"


def time_text(second: int, zone_minutes: int | None = None, fraction: str = "") -> str:
    """Format an instant in UTC (``Z``), or as the local time of a zone (minutes east)."""
    day, rest = divmod(second + (zone_minutes or 0) * 60, DAY)
    hour, rest = divmod(rest, 3_600)
    minute, secs = divmod(rest, 60)
    zone = "Z" if zone_minutes is None else _zone_text(zone_minutes)
    return f"{_day_text(day)}T{hour:02d}:{minute:02d}:{secs:02d}{fraction}{zone}"


def plain_line(attempt: Attempt) -> str:
    """Format an attempt as in the reference data."""
    return (
        f'{{"id":"{attempt.id}","customer_id":"{attempt.customer_id}",'
        f'"load_amount":"{amount_text(attempt.cents)}","time":"{time_text(attempt.second)}"}}'
    )


def varied_line(attempt: Attempt, rng: random.Random) -> str:
    """Format an attempt in another, random way with the same meaning."""
    return rng.choice(_WAYS)(attempt, rng)


@lru_cache(maxsize=4_096)
def _day_text(day: int) -> str:
    return date.fromordinal(day + 1).isoformat()


def _zone_text(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def _line(attempt: Attempt, *, amount: str = "", time: str = "", extra: str = "") -> str:
    amount = amount or amount_text(attempt.cents)
    time = time or time_text(attempt.second)
    head = f'{{"id":"{attempt.id}","customer_id":"{attempt.customer_id}",'
    return head + f'"load_amount":"{amount}","time":"{time}"{extra}}}'


def _other_prefix(attempt: Attempt, rng: random.Random) -> str:
    return _line(attempt, amount=amount_text(attempt.cents, rng.choice(_PREFIXES)))


def _other_zone(attempt: Attempt, rng: random.Random) -> str:
    zone = rng.choice((-1_439, -720, -300, -60, -1, 0, 1, 60, 330, 345, 840, 1_439))
    if not DAY < attempt.second < 3_652_058 * DAY:  # a zone could lead outside of the calendar
        zone = 0
    return _line(attempt, time=time_text(attempt.second, zone))


def _other_time(attempt: Attempt, rng: random.Random) -> str:
    zeros = "." + "0" * rng.randint(1, 6)
    time = rng.choice((time_text(attempt.second).lower(), time_text(attempt.second, None, zeros)))
    return _line(attempt, time=time)


def _minus_zero_zone(attempt: Attempt, _rng: random.Random) -> str:
    return _line(attempt, time=time_text(attempt.second)[:-1] + "-00:00")


def _white_space(attempt: Attempt, rng: random.Random) -> str:
    pad = rng.choice((" ", "  ", "\t", " \t"))
    escaped = pad.replace("\t", "\\t")
    return (
        f'{pad}{{ "id"{pad}: "{escaped}{attempt.id} " ,"customer_id":"{attempt.customer_id}'
        f'{escaped}",{pad}"load_amount":" {amount_text(attempt.cents)}\\r\\n",'
        f'"time":"{escaped}{time_text(attempt.second)}" }}{pad}'
    )


def _integers(attempt: Attempt, _rng: random.Random) -> str:
    id_, customer = (
        f'"{text}"' if text[0] == "0" and text != "0" else text
        for text in (attempt.id, attempt.customer_id)
    )
    amount, time = amount_text(attempt.cents), time_text(attempt.second)
    return f'{{"id":{id_},"customer_id":{customer},"load_amount":"{amount}","time":"{time}"}}'


def _ignored_keys(attempt: Attempt, rng: random.Random) -> str:
    extra = rng.choice(
        (
            ',"note":"caf\u00e9 \u4f60\u597d \U0001f600"',
            ',"note":"\\ud83d\\ude00 \\"quoted\\" \\u0000"',
            ',"huge":1e999,"tiny":-0.0e-999,"long":' + "9" * 50,
            ',"nested":' + '{"a":[' * 20 + "null" + "]}" * 20,
            ',"":{},"list":[1,-0,true,false,null,"[{"]',
        )
    )
    return _line(attempt, extra=extra)


def _repeated_keys(attempt: Attempt, _rng: random.Random) -> str:
    return '{"id":false,"load_amount":"$1.00","time":3,' + _line(attempt)[1:]


def _escaped_keys(attempt: Attempt, _rng: random.Random) -> str:
    line = _line(attempt).replace('"id"', '"\\u0069d"')
    return line.replace(
        f'"{attempt.customer_id}"', f'"\\u003{attempt.customer_id[0]}{attempt.customer_id[1:]}"', 1
    )


def _other_order(attempt: Attempt, _rng: random.Random) -> str:
    amount, time = amount_text(attempt.cents), time_text(attempt.second)
    head = f'{{"time":"{time}","load_amount":"{amount}"'
    return head + f',"customer_id":"{attempt.customer_id}","id":"{attempt.id}"}}'


_WAYS: Final = (
    _other_prefix,
    _other_prefix,
    _other_zone,
    _other_zone,
    _other_zone,
    _other_time,
    _minus_zero_zone,
    _white_space,
    _integers,
    _ignored_keys,
    _repeated_keys,
    _escaped_keys,
    _other_order,
)
