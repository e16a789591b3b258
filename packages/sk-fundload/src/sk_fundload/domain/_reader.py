"""The complete reading of a line: all fields that can be read, and the first failing check."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from sk_fundload.domain import _reasons as reasons
from sk_fundload.domain._ids import parse_id
from sk_fundload.domain._money import parse_cents
from sk_fundload.domain._strict_json import (
    MAX_DEPTH,
    NotStrictJsonError,
    load_strict,
)
from sk_fundload.domain._time import parse_instant

MAX_LINE_BYTES: Final = 1 << 20
"""A line longer than this, without its line end, is not parsed."""

SHORT_LINE_BYTES: Final = 2 * MAX_DEPTH
"""A line of at most this length cannot be nested deeper than `MAX_DEPTH`."""


def may_be_deep(data: bytes) -> bool:
    """Whether a line is too long, or has so many brackets that it may be nested too deep."""
    return len(data) > MAX_LINE_BYTES or data.count(b"[") + data.count(b"{") > MAX_DEPTH


class Reading(Struct, frozen=True, gc=False):
    """The content of a line. ``reason`` is empty if all fields could be read. Else it names the
    first failing check, ``id`` and ``customer_id`` have their values if they could be read (else
    empty), and the other two are 0."""

    id: str = ""
    customer_id: str = ""
    cents: int = 0
    instant: int = 0
    reason: str = reasons.NONE


def read_line(data: bytes) -> Reading:
    """Read one line (without its end) by the specification's rules, in its order of checks."""
    if len(data) > MAX_LINE_BYTES:
        return Reading(reason=reasons.INPUT_PARSE_ERROR)
    try:
        fields = load_strict(data)
    except NotStrictJsonError:
        return Reading(reason=reasons.INPUT_PARSE_ERROR)
    if type(fields) is not dict:
        return Reading(reason=reasons.INPUT_PARSE_ERROR)
    return _judge(fields)


def _judge(fields: dict[str, Any]) -> Reading:
    raw_id, raw_customer = fields.get("id"), fields.get("customer_id")
    raw_time, raw_amount = fields.get("time"), fields.get("load_amount")
    id_ = parse_id(raw_id) if isinstance(raw_id, str) else None
    customer = parse_id(raw_customer) if isinstance(raw_customer, str) else None
    instant = parse_instant(raw_time) if type(raw_time) is str else None
    cents = parse_cents(raw_amount) if type(raw_amount) is str else None
    types = isinstance(raw_id, str), isinstance(raw_customer, str), type(raw_time), type(raw_amount)
    if types != (True, True, str, str):
        reason = reasons.INPUT_PARSE_ERROR
    elif id_ is None or customer is None:
        reason = reasons.INVALID_ID_FORMAT
    elif instant is None:
        reason = reasons.INVALID_TIMESTAMP
    elif cents is None:
        reason = reasons.INVALID_AMOUNT_FORMAT
    else:
        return Reading(id_, customer, cents, instant)
    return Reading(id_ or "", customer or "", reason=reason)
