"""What a profiled run says of its own processor time, and what follows from it: pure functions.

Two runs of a machine that is not quiet differ by more than a thing of one per cent costs. The parts
of one run do not: whatever slows it down, slows down all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

_HEAD: Final = "where a record's time goes"
_PROCESS: Final = re.compile(r"(\S+): [\d,]+(?: of [\d,]+)? records in ")
_ROW: Final = re.compile(r"  (\S.*?) {2,}([\d.,]+)(?: +[\d.,]+ +[\d,]+)?$")
_SIGNING: Final = ("frame sign", "frame verify")
_HUB: Final = "thread hub relay"
_ALL: Final = "in all"
_SUPERVISOR: Final = "supervisor"


class Account(NamedTuple):
    """Microseconds of processor time for each record of a run.

    ``signing`` is what all workers sign and verify in. ``beside`` is what the supervisor does
    beside relaying frames, so all that it logs, exports and answers; None where the system does not
    tell the time of a thread.
    """

    signing: float
    beside: float | None


def account_of(said: str) -> Account | None:
    """Read what a run with ``--profile-run`` says; None where not all of it is there."""
    if _HEAD not in said:  # or only its end is there
        return None
    told = _microseconds(said)
    own = told.get(_SUPERVISOR)
    if own is None or _ALL not in own:
        return None
    signing = sum(rows.get(name, 0.0) for rows in told.values() for name in _SIGNING)
    return Account(signing, own[_ALL] - own[_HUB] if _HUB in own else None)


def _microseconds(said: str) -> Mapping[str, Mapping[str, float]]:
    """By process, and by what it did."""
    told: dict[str, dict[str, float]] = {}
    rows: dict[str, float] = {}
    for line in said.splitlines():
        if process := _PROCESS.match(line):
            rows = told[process[1]] = {}
        elif row := _ROW.match(line):
            rows[row[1]] = float(row[2].replace(",", ""))
        elif not line.startswith(" "):
            rows = {}  # of no one process
    return told
