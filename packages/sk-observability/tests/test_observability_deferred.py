"""Exporters that send later: what they take, what they lose, and how they end."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sk_observability import (
    Account,
    DeferredExporter,
    ExporterCounts,
    ExportFailedError,
    Outlet,
    QueuedExporter,
    QueueLimits,
    SpanFanOut,
)

PATIENCE = 30.0
SOON = QueueLimits(delay_seconds=0.001, close_seconds=PATIENCE)
HeldUp = Callable[..., AbstractContextManager[tuple[Any, Outlet[int]]]]
FAILURES: list[Exception | None] = [
    None,
    ValueError("a payload"),
    ExportFailedError("UNAVAILABLE"),
    ExportFailedError("rejected", exported=1),
    ExportFailedError("rejected", exported=99),
    ExportFailedError("rejected", exported=-1),
]


@pytest.fixture
def held_up(sending: type[Any]) -> HeldUp:
    """Makes exporters whose sender hangs on its first batch, one item."""

    @contextmanager
    def make(**limits: Any) -> Iterator[tuple[Any, Outlet[int]]]:
        sender = sending(gate=threading.Event())
        choice = QueueLimits(**{"delay_seconds": 0.001, "close_seconds": 0.05, **limits})
        outlet: Outlet[int] = Outlet("queued", QueuedExporter("test", lambda: sender, choice))
        outlet.export([0])
        assert sender.begun.wait(PATIENCE)
        try:
            yield sender, outlet
        finally:
            sender.gate.set()
            outlet.close()

    return make


def conserved(counts: ExporterCounts) -> bool:
    total = counts.exported + sum(counts.dropped.values()) + counts.pending
    return counts.created == total and counts.pending >= 0


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(0, 7), max_size=12),
    plan=st.lists(st.sampled_from(FAILURES), max_size=12),
    queue=st.integers(1, 12),
    batch=st.integers(1, 5),
    newest=st.booleans(),
)
def test_created_is_exported_dropped_and_pending_at_every_moment_and_none_pends_at_the_end(
    sending: type[Any],
    sizes: list[int],
    plan: list[Exception | None],
    queue: int,
    batch: int,
    newest: bool,
) -> None:
    sender = sending(plan)
    limits = QueueLimits(
        max_queue_size=queue,
        max_batch_size=min(batch, queue),
        delay_seconds=0.0001,
        close_seconds=PATIENCE,
        newest_wins=newest,
    )
    outlet: Outlet[int] = Outlet("queued", QueuedExporter("test", lambda: sender, limits))
    for size in sizes:
        outlet.export([0] * size)
        assert conserved(outlet.counts)
    outlet.close()
    outlet.export([0])
    counts = outlet.counts
    assert conserved(counts)
    assert (counts.created, counts.pending) == (sum(sizes) + 1, 0)
    assert counts.exported >= sum(map(len, sender.batches))


def test_what_is_exported_goes_out_in_order_in_batches_of_at_most_that_size(
    sending: type[Any],
) -> None:
    sender = sending()
    limits = QueueLimits(max_batch_size=4, delay_seconds=PATIENCE, close_seconds=PATIENCE)
    outlet: Outlet[int] = Outlet("queued", QueuedExporter("test", lambda: sender, limits))
    for first in range(0, 10, 2):
        outlet.export([first, first + 1])
    outlet.close()
    assert [n for batch in sender.batches for n in batch] == list(range(10))
    assert max(map(len, sender.batches)) <= 4
    assert outlet.counts == ExporterCounts("queued", created=10, exported=10)
    assert sender.closed == 1


def test_a_full_batch_waits_for_no_delay(sending: type[Any]) -> None:
    sender = sending()
    limits = QueueLimits(max_batch_size=2, delay_seconds=3600, close_seconds=PATIENCE)
    exporter: QueuedExporter[int] = QueuedExporter("test", lambda: sender, limits)
    exporter.export([1])
    assert not sender.begun.is_set()
    exporter.export([2])
    assert sender.begun.wait(PATIENCE)
    exporter.close()


@pytest.mark.contract("P5PRE-OBS-03")
def test_an_export_returns_while_the_sender_hangs_and_what_finds_no_room_is_counted(
    held_up: HeldUp,
) -> None:
    with held_up(max_queue_size=4) as (_, outlet):
        outlet.export([1, 2])
        outlet.export([3, 4, 5])
        assert outlet.counts == ExporterCounts(
            "queued", created=6, exported=0, dropped={"queue_full": 2}, pending=4
        )


@pytest.mark.contract("P5PRE-OBS-03")
def test_where_the_newest_wins_the_oldest_that_wait_make_room_and_are_counted(
    held_up: HeldUp,
) -> None:
    limits = {"max_queue_size": 4, "newest_wins": True, "close_seconds": PATIENCE}
    with held_up(**limits) as (sender, outlet):
        outlet.export([1, 2])
        outlet.export([3, 4])
        assert outlet.counts == ExporterCounts(
            "queued", created=5, dropped={"queue_full": 1}, pending=4
        )
        outlet.export([5, 6, 7, 8, 9])
    assert [n for batch in sender.batches for n in batch] == [0, 7, 8, 9]
    assert outlet.counts == ExporterCounts(
        "queued", created=10, exported=4, dropped={"queue_full": 6}
    )


@pytest.mark.contract("P5PRE-OBS-03")
def test_a_close_gives_up_on_a_sender_that_hangs_and_counts_what_it_has_and_what_waits(
    held_up: HeldUp,
) -> None:
    with held_up() as (sender, outlet):
        outlet.export([1, 2])
        outlet.close()
        final = outlet.counts
        assert final == ExporterCounts("queued", created=3, dropped={"shutdown_timeout": 3})
        assert sender.aborted == 1
    # The sender's word came too late to change what was said.
    assert outlet.counts == final


@pytest.mark.contract("P5PRE-OBS-03")
def test_who_is_given_less_time_to_close_than_by_its_settings_keeps_to_that(
    held_up: HeldUp, in_time: Callable[[Callable[[], Any]], None]
) -> None:
    with held_up(close_seconds=3600) as (_, outlet):
        outlet.finish(3600)
        outlet.finish(0.05)
        in_time(outlet.close)
        assert outlet.counts.dropped == {"shutdown_timeout": 1}


def test_who_is_given_more_time_than_by_its_settings_takes_no_more(held_up: HeldUp) -> None:
    with held_up() as (_, outlet):
        outlet.finish(3600)
        outlet.close()
        assert outlet.counts.dropped == {"shutdown_timeout": 1}


def test_what_comes_between_the_finish_and_the_close_is_counted_as_closed(
    sending: type[Any],
) -> None:
    sender = sending()
    outlet: Outlet[int] = Outlet("queued", QueuedExporter("test", lambda: sender, SOON))
    outlet.export([1])
    outlet.finish()
    outlet.export([2, 3])
    outlet.close()
    assert outlet.counts == ExporterCounts("queued", created=3, exported=1, dropped={"closed": 2})


def test_a_sender_that_cannot_be_made_is_tried_again_with_the_next_batch(
    sending: type[Any],
) -> None:
    senders = iter([None, sending()])

    def make() -> Any:
        made = next(senders)
        if made is None:
            raise FileNotFoundError(errno.ENOENT, "a certificate")
        return made

    limits = QueueLimits(max_batch_size=1, close_seconds=PATIENCE)
    outlet: Outlet[int] = Outlet("queued", QueuedExporter("test", make, limits))
    outlet.export([1, 2])
    outlet.close()
    assert outlet.counts == ExporterCounts("queued", created=2, exported=1, dropped={"ENOENT": 1})


def test_exporters_that_hang_close_side_by_side_and_not_one_after_the_other() -> None:
    finished: list[str] = []

    class Slow:
        def __init__(self, name: str) -> None:
            self.account, self._name = Account(), name

        def export(self, items: Sequence[Any]) -> None:
            self.account.sent(len(items))

        def finish(self) -> None:
            finished.append(self._name)

        def close(self) -> None:
            finished.append(f"{self._name} closed")

    slow = [Slow("a"), Slow("b")]
    assert all(isinstance(one, DeferredExporter) for one in slow)
    SpanFanOut([Outlet(one._name, one) for one in slow]).close()
    assert finished == ["a", "b", "a closed", "b closed"]


def test_what_an_exporter_never_accounts_for_is_counted_as_that() -> None:
    class Forgetful:
        def __init__(self) -> None:
            self.account = Account()

        def export(self, items: Sequence[int]) -> None:
            self.account.sent(1)

        def finish(self) -> None:
            """Nothing is held."""

        def close(self) -> None:
            """Nothing is held."""

    outlet: Outlet[int] = Outlet("forgetful", Forgetful())
    outlet.export([1, 2, 3])
    assert outlet.counts.pending == 2
    outlet.close()
    assert outlet.counts == ExporterCounts(
        "forgetful", created=3, exported=1, dropped={"unaccounted": 2}
    )


def test_an_exporter_that_was_given_nothing_starts_no_thread_and_makes_no_sender(
    sending: type[Any],
) -> None:
    before = set(threading.enumerate())
    exporter: QueuedExporter[int] = QueuedExporter("test", sending, SOON)
    exporter.export([])
    exporter.close()
    assert set(threading.enumerate()) - before == set()
