"""One line's bytes to an attempt, or to what could be read of it and the reason."""

from __future__ import annotations

from dataclasses import dataclass

from fundload_reference._amount import parse_cents
from fundload_reference._json import Json, JsonError, Number, parse_json
from fundload_reference._reasons import Reason
from fundload_reference._text import all_digits, trim
from fundload_reference._time import parse_instant

_MAX_ID_DIGITS = 40


@dataclass(frozen=True)
class Attempt:
    """A readable line: ids as text, the amount in cents, the instant of `_time`."""

    id: str
    customer_id: str
    cents: int
    instant: int


@dataclass(frozen=True)
class Unreadable:
    """A line that is no attempt; an id that could not be read is the empty string."""

    reason: Reason
    id: str = ""
    customer_id: str = ""


def read_attempt(line: bytes) -> Attempt | Unreadable:
    """Read one line (not blank, not too long, without its end)."""
    try:
        fields = parse_json(line)
    except JsonError:
        return Unreadable(Reason.INPUT_PARSE_ERROR)
    if not isinstance(fields, dict):
        return Unreadable(Reason.INPUT_PARSE_ERROR)
    return _read_fields(fields)


def _read_fields(fields: dict[str, Json]) -> Attempt | Unreadable:
    id_text = _id_text(fields.get("id"))
    customer_text = _id_text(fields.get("customer_id"))
    amount = fields.get("load_amount")
    time = fields.get("time")
    # An id that is unreadable, or of a wrong form, is shown as nothing.
    shown_id = id_text if id_text is not None and _is_id(id_text) else ""
    shown_customer = customer_text if customer_text is not None and _is_id(customer_text) else ""

    if id_text is None or customer_text is None:
        return Unreadable(Reason.INPUT_PARSE_ERROR, shown_id, shown_customer)
    if not isinstance(amount, str) or not isinstance(time, str):
        return Unreadable(Reason.INPUT_PARSE_ERROR, shown_id, shown_customer)
    if shown_id == "" or shown_customer == "":
        return Unreadable(Reason.INVALID_ID_FORMAT, shown_id, shown_customer)
    instant = parse_instant(trim(time))
    if instant is None:
        return Unreadable(Reason.INVALID_TIMESTAMP, shown_id, shown_customer)
    cents = parse_cents(trim(amount))
    if cents is None:
        return Unreadable(Reason.INVALID_AMOUNT_FORMAT, shown_id, shown_customer)
    return Attempt(shown_id, shown_customer, cents, instant)


def _id_text(value: Json) -> str | None:
    """Give the text of a string or an integer; None for any other type, and for a missing key."""
    if isinstance(value, str):
        return trim(value)
    if isinstance(value, Number) and value.is_integer:
        return value.text
    return None


def _is_id(text: str) -> bool:
    return all_digits(text) and len(text) <= _MAX_ID_DIGITS
