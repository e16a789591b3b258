"""From a line to a message. Lines look like ``17 web-1 GET /cart 230`` or ``18 db-1 ERROR full``.

read_line ─┬─ Access ──┬─ keep_slow ──────┬─ Incident ── raise_alert ── Alert ───┬─ compose
           ├─ Failure ─┼─ count_failures ─┘                                      │
           └─ Garbled ─┴─ tally ────────────────────────────────────── Summary ──┘
"""

from __future__ import annotations

import re
from collections import deque

from msgspec import Struct, field
from sk_kernel import node, state

from log_alerts.payloads import (
    Access,
    Alert,
    Failure,
    Garbled,
    Incident,
    LogLine,
    Message,
    Summary,
)

_LINE = re.compile(
    r"(?P<at>\d{1,12}) (?P<host>[\w-]+) "
    r"(?:GET (?P<path>/\S*) (?P<millis>\d{1,9})|ERROR (?P<text>.+))",
    re.ASCII,
)


class SlowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers that take longer than this are incidents."""

    millis: int = 500


class BurstSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """So many errors of a host within so many seconds are an incident."""

    errors: int = 3
    seconds: int = 60


class QuietSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds in which a host is not told of again."""

    seconds: int = 300


@state(key="host")
class RecentErrors(dict[str, deque[int]]):
    """The times of each host's latest errors."""


class Told(Struct):
    """When a host was last told of, and what was withheld since."""

    at: int
    withheld: int = 0


@state(key="host")
class LastTold(dict[str, Told]):
    """Each host's last alert."""


class Counts(Struct):
    """Records by kind."""

    accesses: int = 0
    failures: int = 0
    garbled: int = 0


@state(key=None)
class Totals(Struct):
    """The counts of the whole log."""

    counts: Counts = field(default_factory=Counts)


@node
def read_line(line: LogLine) -> Access | Failure | Garbled:
    """Tell accesses from errors, and both from the rest."""
    match = _LINE.fullmatch(line.text)
    if match is None:
        return Garbled(line.number)
    at, host = int(match["at"]), match["host"]
    if match["text"] is not None:
        return Failure(host, at, match["text"])
    return Access(host, at, match["path"], int(match["millis"]))


@node
def keep_slow(access: Access, settings: SlowSettings) -> Incident | None:
    """Most answers are fast enough."""
    if access.millis <= settings.millis:
        return None
    return Incident(access.host, access.at, f"{access.path} took {access.millis} ms")


@node
def count_failures(
    failure: Failure, recent: RecentErrors, settings: BurstSettings
) -> Incident | None:
    """One error is none; a burst of them is an incident, and begins the count anew."""
    times = recent.setdefault(failure.host, deque())
    times.append(failure.at)
    while times[0] <= failure.at - settings.seconds:
        times.popleft()
    if len(times) < settings.errors:
        return None
    times.clear()
    return Incident(failure.host, failure.at, f"{settings.errors} errors, last: {failure.text}")


@node
def raise_alert(incident: Incident, told: LastTold, settings: QuietSettings) -> Alert | None:
    """Tell of a host once, and then leave people in peace for a while."""
    last = told.get(incident.host)
    if last is not None and incident.at < last.at + settings.seconds:
        last.withheld += 1
        return None
    told[incident.host] = Told(incident.at)
    withheld = 0 if last is None else last.withheld
    return Alert(incident.host, incident.at, incident.what, withheld)


@node
class Tally:
    """Count everything; the sum comes last."""

    def __init__(self, totals: Totals) -> None:
        self._counts = totals.counts

    def __call__(self, record: Access | Failure | Garbled) -> None:
        """Count one record."""
        match record:
            case Access():
                self._counts.accesses += 1
            case Failure():
                self._counts.failures += 1
            case Garbled():
                self._counts.garbled += 1

    def finish(self) -> Summary:
        """The sum."""
        return Summary(self._counts.accesses, self._counts.failures, self._counts.garbled)


@node
def compose(news: Alert | Summary) -> Message:
    """Put it in words."""
    if isinstance(news, Summary):
        counts = f"{news.accesses} accesses, {news.failures} errors, {news.garbled} unreadable"
        return Message(f"end: {counts}")
    withheld = f" ({news.withheld} withheld)" if news.withheld else ""
    return Message(f"{news.at} {news.host}: {news.what}{withheld}")
