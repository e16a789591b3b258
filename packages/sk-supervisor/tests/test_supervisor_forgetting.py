"""A group that is restarted for ever: what is known of its workers does not grow with them."""

from __future__ import annotations

import gc
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from sk_config import GroupConfig, build_config
from sk_control import ExporterCounts, Heartbeat, Metering, Progress, SpanCounts
from sk_kernel import ExporterAccount, SpanAccount
from sk_kernel.runtime import ExecutionPlan
from sk_observability import LifecycleLog
from sk_supervisor import prepare
from sk_supervisor._hub.links import HubLinks
from sk_supervisor._hub.relay import Relay
from sk_supervisor._lives.lifecycle import Event
from sk_supervisor._loop.loop_events import RecordsSkipped
from sk_supervisor._loop.span_books import SpanBooks, summed
from sk_supervisor._protocol.worker_ids import came_before
from sk_supervisor._session.worker_directory import WorkerDirectory
from sk_supervisor._telemetry.conservation import conservation_of
from sk_supervisor._telemetry.conservation_text import words
from sk_supervisor.errors import RelayRefusedError
from sk_transport import DetachedChannel
from supervisor_frames import header
from supervisor_harness import settings
from supervisor_scene import Scene

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}
FEW, MANY = 5, 60
NO_ROOM = type, ModuleType, FunctionType, LifecycleLog, int, float, type(None)


def held(*rooms: object) -> int:
    """How many objects these keep alive: containers, names, and what is in them."""
    seen: dict[int, object] = {}
    todo = list(rooms)
    while todo:
        one = todo.pop()
        if id(one) not in seen and not isinstance(one, NO_ROOM):
            seen[id(one)] = one
            todo += gc.get_referents(one)
            todo += one if isinstance(one, dict) else ()  # keys that are texts are no referents
    return len(seen)


def plan_of() -> ExecutionPlan:
    return prepare(build_config(settings(Path("out.txt")))).plan


def grown(live: Callable[[int], object], *rooms: object) -> int:
    """How much more is kept after many lives than after a few."""
    for number in range(2, FEW + 1):
        live(number)
    few = held(*rooms)
    for number in range(FEW + 1, MANY + 1):
        live(number)
    return held(*rooms) - few


def name(number: int) -> str:
    return f"mid-0.{number}"


# ---- who is in which place ---------------------------------------------------------------------


def test_who_was_told_what_of_the_others_is_kept_for_each_place() -> None:
    directory = WorkerDirectory(plan_of())

    def live(number: int) -> None:
        directory.introduce_all(name(number))
        if number % 2:  # every second one dies before it is ready
            directory.take_over(name(number))
            directory.news("in-0.1")

    assert grown(live, directory) <= 0


def test_frames_of_every_earlier_worker_are_stale_without_a_list_of_them() -> None:
    relay = Relay(plan_of(), WORKERS, ["mid"])
    assert grown(lambda number: relay.hand_over(name(number)), relay) <= 0
    for number in range(1, MANY):
        assert relay.route("in-0.1", header(receiver=name(number))) is None
    assert relay.route("in-0.1", header(receiver=name(MANY))) == name(MANY)
    with pytest.raises(RelayRefusedError):
        relay.route("in-0.1", header(receiver=name(MANY + 1)))


@pytest.mark.parametrize(
    ("worker", "came"),
    [
        ("mid-0.1", True),
        ("mid-0.11", True),
        ("mid-0.12", False),
        ("mid-0.13", False),
        ("mid-1.1", False),
        ("mid-0.01", False),
        ("mid-0.x", False),
        ("mid-0.", False),
        ("mid-0.\u0661", False),
        ("mid-0.\u00b2", False),
        ("mid-0." + "9" * 5000, False),
        ("", False),
    ],
)
def test_only_the_name_of_an_earlier_worker_in_the_place_came_before(
    worker: str, came: bool
) -> None:
    assert came_before(worker, "mid-0.12") is came


def test_the_hub_forgets_connections_and_what_waited_for_a_worker() -> None:
    with selectors.DefaultSelector() as selector:
        links = HubLinks(selector, on_lost=lambda _: None)

        def live(number: int) -> None:
            near, far = socket.socketpair()
            with far:
                links.send(name(number), [b"early"])
                links.send(name(number + 1), [b"never taken"])
                links.admit(DetachedChannel(name(number), near, None, None, None))  # type: ignore[arg-type]
                links.drop(name(number))
            if number > 3:
                links.forget(name(number - 2))

        assert grown(live, links) <= 0
        assert links.gone == {name(MANY - 1), name(MANY)}


# ---- what they have done -----------------------------------------------------------------------


def done(number: int) -> Progress:
    metering = Metering(busy_seconds=number / 4, batch_counts=(number,))
    return Progress(number, 2 * number, 1, dead_lettered=3, skipped=4, metering=metering)


def scene_of_many() -> tuple[Scene, Callable[[int], None]]:
    scene = Scene(name(1))
    group = GroupConfig(name=name(1), **scene.group)

    def live(number: int) -> None:
        scene.roster.apply(scene.record(name(number - 1)), Event.EXITED)
        scene.spawn(name(number), group, incarnation=number)
        scene.says(Heartbeat(), name(number - 1))  # one that was under way
        scene.says(SpanCounts(number, (ExporterCounts("jsonl", number - 1),)), name(number))
        for count in (5, 4):  # the older one is that of a batch that is sent again
            scene.mailbox.put(RecordsSkipped(name(number), count))
        scene.says(done(number), name(number))

    return scene, live


def test_records_times_and_spans_of_many_lives_take_no_more_room_than_those_of_a_few() -> None:
    scene, live = scene_of_many()
    assert grown(live, scene.roster, scene.mailbox, scene.spans) <= 0


def test_the_sums_of_a_place_are_those_of_all_its_lives() -> None:
    scene, live = scene_of_many()
    for number in range(2, MANY + 1):
        live(number)
    [worker] = scene.roster.snapshot(scene.now)[0].workers
    records = sum(range(2, MANY + 1))
    totals = worker.totals
    assert (totals.records_in, totals.records_out) == (records, 2 * records)
    assert (totals.busy_seconds, totals.batch.count) == (records / 4, records)
    assert (totals.dead_lettered, totals.skipped) == (3 * (MANY - 1), 5 * (MANY - 1))
    assert list(scene.roster.totals().values()) == [totals]
    assert worker.incarnation == MANY


def test_a_last_word_of_the_worker_before_counts_and_one_of_a_forgotten_one_is_no_fault() -> None:
    scene, live = scene_of_many()
    for number in range(2, FEW + 1):
        live(number)

    def records() -> int:
        return next(iter(scene.roster.totals().values())).records_in

    before = records()
    scene.says(done(FEW + 9), name(FEW - 1))
    assert records() == before + 10
    scene.says(done(99), name(1))
    assert records() == before + 10
    assert scene.roster.get(name(1)) is None


# ---- their spans -------------------------------------------------------------------------------


def account(worker: str, created: int, *, final: bool = False) -> SpanAccount:
    told = ExporterAccount(kind="jsonl", exported=created - 2, dropped={"ENOSPC": 1})
    return SpanAccount(worker=worker, created=created, exporters=(told,), final=final)


def test_folding_accounts_changes_no_sum_of_the_run() -> None:
    books, alone = SpanBooks(), []
    for number in range(1, FEW + 1):
        final = number == FEW
        counts = ExporterCounts("jsonl", number, {"ENOSPC": 1}, "EIO" if number == 2 else "")
        books.note(name(number), SpanCounts(number + 2, (counts,), final))
        alone += [one for one in books.accounts() if one.worker == name(number)]
    for number in range(1, FEW - 1):
        books.fold(name(number))
    whole, folded = conservation_of(alone), conservation_of(books.accounts())
    assert folded.processes == whole.processes == FEW
    assert folded.created == whole.created
    assert folded.exporters[0]._replace(unclosed={}) == whole.exporters[0]._replace(unclosed={})
    assert sum(r.created for r in folded.remainders) == sum(r.created for r in whole.remainders)
    assert folded.remainders[0][0::2] == (name(FEW - 2), FEW - 2)
    assert list(folded.exporters[0].unclosed.values()) == ["EIO"]


def test_who_closed_its_account_is_no_part_of_the_sum_of_those_that_did_not() -> None:
    books = SpanBooks()
    for number in range(1, FEW):
        said = SpanCounts(2, (ExporterCounts("jsonl", 2),), final=number % 2 == 0)
        books.note(name(number), said)
        books.fold(name(number))
    assert [(one.final, one.processes) for one in books.accounts()] == [(False, 2), (True, 2)]
    assert conservation_of(books.accounts()).holds


def test_one_that_had_not_opened_its_exporters_adds_nothing() -> None:
    books = SpanBooks()
    books.note(name(1), SpanCounts(0))
    books.fold(name(1))
    assert books.accounts() == ()


def test_the_summary_says_of_how_many_it_is_the_sum() -> None:
    both = summed(account(name(1), 5), account(name(2), 7))
    assert words(conservation_of([both]))[-1] == (
        "  spans of mid-0.2 and 1 before it: they ended before their final reports;"
        " up to their last reports they had created 12, the remainder is unknown"
    )
