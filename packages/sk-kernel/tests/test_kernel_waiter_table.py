"""The waiter table against a model of it: anything, in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sk_kernel import TerminalStatus, TooManyRequestsError, TraceInUseError
from sk_kernel._replies.waiter_table import SLACK, Registration, WaiterTable

LIMIT = 4
NAMES = st.sampled_from("abcdef")
TIMES = st.integers(0, 20)
ENDINGS: Mapping[TerminalStatus, str] = {
    "success": "completed",
    "error": "completed",
    "timeout": "expired",
    "cancelled": "cancelled",
}
STATUSES: st.SearchStrategy[TerminalStatus] = st.sampled_from(list(ENDINGS))


class Model(RuleBasedStateMachine):
    """Dictionaries and lists that are searched from end to end: slow, and plainly right."""

    def __init__(self) -> None:
        super().__init__()
        self.table: WaiterTable[Registration] = WaiterTable(LIMIT)
        self.live: list[Registration] = []
        self.answered: list[Registration] = []
        self.counts: Counter[str] = Counter()
        self.outcomes: Counter[int] = Counter()
        self.made: list[Registration] = []
        self.held: list[Registration] = []
        self.now = 0

    def holder(self, name: str) -> Registration | None:
        return next((entry for entry in self.live if name == entry.trace_id), None)

    def unfinished(self) -> list[Registration]:
        return [entry for entry in self.held if entry not in self.live]

    def ended(self, entry: Registration, how: str) -> None:
        self.live.remove(entry)
        self.counts[how] += 1
        self.outcomes[id(entry)] += 1

    @rule(name=NAMES, due=TIMES)
    def register(self, name: str, due: int) -> None:
        entry = Registration(name, None, float(due))
        if len(self.live) + len(self.unfinished()) >= LIMIT:
            with pytest.raises(TooManyRequestsError):
                self.table.register(entry)
        elif self.holder(name):
            with pytest.raises(TraceInUseError):
                self.table.register(entry)
        else:
            self.table.register(entry)
            self.live.append(entry)
            self.made.append(entry)
            self.counts["registered"] += 1

    @rule(which=st.integers(0, 50), status=STATUSES)
    def settle(self, which: int, status: TerminalStatus) -> None:
        if which < len(self.made):
            entry = self.made[which]
            if entry in self.live:
                expected = ENDINGS[status]
                self.ended(entry, expected)
                self.answered.append(entry)
                self.counts["failed"] += status == "error"
            else:
                expected = "late_reply_drop"
                if entry in self.answered:
                    expected = "duplicate_terminal"
                self.counts[expected] += 1
            assert self.table.settle(entry, status) == expected

    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        if which < len(self.made):
            entry = self.made[which]
            assert self.table.cancel(entry) == (entry in self.live)
            if entry in self.live:
                self.ended(entry, "cancelled")

    @rule(which=st.integers(0, 50))
    def time_out(self, which: int) -> None:
        if which < len(self.made):
            entry = self.made[which]
            assert self.table.time_out(entry) == (entry in self.live)
            if entry in self.live:
                self.ended(entry, "expired")

    @rule(which=st.integers(0, 50))
    def hold(self, which: int) -> None:
        if which < len(self.made) and self.made[which] not in self.held:
            entry = self.made[which]
            assert self.table.hold(entry) == (entry in self.live)
            self.held += [entry] if entry in self.live else []

    @rule(which=st.integers(0, 50))
    def release(self, which: int) -> None:
        if which < len(self.made):
            self.table.release(self.made[which])
            self.held = [entry for entry in self.held if entry is not self.made[which]]

    @rule(step=st.integers(0, 5))
    def expire(self, step: int) -> None:
        self.now += step
        due = sorted((e for e in self.live if e.due <= self.now), key=lambda e: (e.due, e.serial))
        assert list(self.table.expire(self.now)) == due
        for entry in due:
            self.ended(entry, "expired")

    @rule()
    def next_due(self) -> None:
        assert self.table.next_due() == min((e.due for e in self.live), default=None)

    @invariant()
    def the_counters_add_up(self) -> None:
        counted = {
            name: getattr(self.table, name)
            for name in (
                "registered",
                "completed",
                "failed",
                "cancelled",
                "expired",
                "duplicate_terminal",
                "late_reply_drop",
            )
        }
        assert counted == {name: self.counts[name] for name in counted}
        assert self.table.in_flight == len(self.live)
        assert self.table.unfinished == len(self.unfinished())
        assert self.table.entries() == self.live

    @invariant()
    def every_request_has_one_outcome_or_is_in_flight(self) -> None:
        for entry in self.made:
            assert self.outcomes[id(entry)] + (entry in self.live) == 1

    @invariant()
    def everything_is_bounded(self) -> None:
        assert self.table.scheduled <= 2 * LIMIT + SLACK + 1


Model.TestCase.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)


@pytest.mark.contract("REPLY-03", "REPLY-05", "REPLY-06")
class TestWaiterTable(Model.TestCase):  # type: ignore[valid-type,misc]
    """Registering, completing, cancelling and expiring in any order does what the model does."""


def test_ended_requests_do_not_pile_up_in_the_heap() -> None:
    table: WaiterTable[Registration] = WaiterTable(LIMIT)
    longest = 0
    for n in range(1_000):
        entry = Registration(str(n), None, 1e9)
        table.register(entry)
        longest = max(longest, table.scheduled)
        table.cancel(entry)
    assert longest <= SLACK + 1
