"""Lines of fund loads written in one breath, and what the reference makes of them."""

from __future__ import annotations

import io
import json
from typing import Any

from fundload_reference import RULE_SETS, Outcome, Reason, adjudicate

TUESDAY = "2000-01-04T12:00:00Z"


def load(
    id: object = "1",  # noqa: A002 - the key's own name
    customer: object = "1",
    amount: object = "$1.00",
    time: object = TUESDAY,
    **others: object,
) -> bytes:
    """Give one line, without its end, of these fields."""
    fields = {"id": id, "customer_id": customer, "load_amount": amount, "time": time, **others}
    return json.dumps(fields).encode()


def without(key: str) -> bytes:
    """Give a line that is good but for one key that it lacks."""
    fields = json.loads(load())
    del fields[key]
    return json.dumps(fields).encode()


def outcomes(*lines: bytes, rules: str = "baseline") -> list[Outcome]:
    """Give the outcomes of a file of these lines, each ended by LF."""
    return outcomes_of_file(b"".join(line + b"\n" for line in lines), rules)


def outcomes_of_file(data: bytes, rules: str = "baseline") -> list[Outcome]:
    """Give the outcomes of a file's bytes."""
    return list(adjudicate(io.BytesIO(data), RULE_SETS[rules]))


def reasons(*lines: bytes, rules: str = "baseline") -> list[Reason | None]:
    """Give the reason of each line, None for an accepted one."""
    return [outcome.reason for outcome in outcomes(*lines, rules=rules)]


def reason(line: bytes) -> Reason | None:
    """Give the reason of one line that is alone in its file."""
    (only,) = outcomes(line)
    return only.reason


def shown_ids(line: bytes) -> tuple[str, str]:
    """Give the id and the customer_id of the one output line."""
    (only,) = outcomes(line)
    decision = json.loads(only.output)
    return decision["id"], decision["customer_id"]


def reject(line: bytes) -> dict[str, Any]:
    """Give the reject of one line that is alone in its file."""
    (only,) = outcomes(line)
    assert only.reject is not None
    record: dict[str, Any] = json.loads(only.reject)
    return record
