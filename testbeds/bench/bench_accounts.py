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
_SPANS: Final = "trace spans"
_EXPORTING: Final = "thread export "
_HUB: Final = "thread hub relay"
_ALL: Final = "in all"
_SUPERVISOR: Final = "supervisor"


class Account(NamedTuple):
    """Microseconds of processor time for each record of a run.

    ``signing`` is what all workers sign and verify in. ``watching`` is what they make and write
    spans in, and what the supervisor does beside relaying frames, so all that it logs, exports and
    answers; None where the system does not tell the time of a thread.
    """

    signing: float
    watching: float | None


def account_of(said: str) -> Account | None:
    """Read what a run with ``--profile-run`` says; None where not all of it is there."""
    if _HEAD not in said:  # or only its end is there
        return None
    told = _microseconds(said)
    own = told.get(_SUPERVISOR)
    if own is None or _ALL not in own:
        return None
    workers = [rows for process, rows in told.items() if process != _SUPERVISOR]
    signing = sum(rows.get(name, 0.0) for rows in workers for name in _SIGNING)
    if _HUB not in own:
        return Account(signing, None)
    spans = sum(cpu for rows in workers for name, cpu in rows.items() if _is_of_spans(name))
    return Account(signing, spans + own[_ALL] - own[_HUB])


def _is_of_spans(name: str) -> bool:
    return name == _SPANS or name.startswith(_EXPORTING)


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
