"""Requests when workers die, runs end, and callers do not wait."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask, Reply
from asked_side import Risky
from asking import FOUR, Gate, Told, asked
from sk_kernel import (
    AdapterFailedError,
    BoundaryDispatchInput,
    Envelope,
    KernelError,
    ReplyWaiter,
    RequestsClosedError,
    TerminalEvent,
)
from sk_supervisor import (
    HandoffTransportError,
    RuntimeWorkerFailedError,
    Service,
    ServiceFailedError,
    serve,
)
from supervisor_harness import until

PATIENCE = 30.0


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def ok(outcome: TerminalEvent) -> Reply:
    assert outcome.status == "success", outcome
    assert isinstance(outcome.payload, Reply)
    return outcome.payload


def stream_of(target: Path, gate: Gate, count: int = 3) -> dict[str, Any]:
    return {
        "source": {"name": "asks", "settings": {"count": count, "gate": gate.path}},
        "sink": {"name": "answers", "settings": {"path": str(target)}},
    }


# ---- workers that die ----------------------------------------------------------------------------


@pytest.mark.contract("HANDOFF-04", "HANDOFF-E-02", "HANDOFF-E-03")
def test_a_crash_fails_what_is_in_flight_and_stays_the_first_failure(gate: Gate) -> None:
    other: list[TerminalEvent] = []

    def crash() -> None:
        with serve(asked(FOUR)) as service:
            waiting = service.request(Envelope(Ask(1, do="wait:third", gate=gate.path)))
            gate.reached()
            try:
                killing = BoundaryDispatchInput(Ask(1, do="kill:second"), "one", "first")
                service.execute_boundary([killing])
            finally:
                other.append(waiting.wait(PATIENCE))
                gate.open()

    with pytest.raises(HandoffTransportError) as caught:
        crash()
    assert str(caught.value) == "remote handoff transport failed for group 'two'"
    assert caught.value.group == "two"
    assert (other[0].status, other[0].category) == ("error", "transport")
    # What the run ended by is told beside it, and masks nothing.
    assert any("two-0.1" in note for note in caught.value.__notes__)


def test_a_run_that_fails_is_an_error_of_its_service() -> None:
    outcomes: list[TerminalEvent] = []

    def crash() -> None:
        with serve(asked(FOUR)) as service:
            assert service.failure is None
            outcomes.append(service.request(Envelope(Ask(1, do="kill:last"))).wait(PATIENCE))
            told_of_the_end(service, RuntimeWorkerFailedError, "worker four-0.1 of group four")

    with pytest.raises(ServiceFailedError, match=r"^worker four-0\.1 .*signal SIGKILL") as caught:
        crash()
    assert outcomes[0].error == "remote handoff transport failed for group 'four'"
    assert caught.value.code == 4
    assert isinstance(caught.value.__cause__, RuntimeWorkerFailedError)


def test_in_the_memory_profile_who_asks_behind_a_failure_is_told_of_it(gate: Gate) -> None:
    adapters = {"source": {"name": "breaks", "settings": {"gate": gate.path}}}
    modules = ("asked_app", "asked_streams")
    config = asked(None, modules=modules, adapters={**adapters, "sink": {"name": "replies"}})

    def failing() -> None:
        with serve(config) as service:
            gate.open()
            told_of_the_end(service, AdapterFailedError, "source:source failed to read")

    with pytest.raises(ServiceFailedError, match=r"^source:source failed to read"):
        failing()


def test_a_run_that_has_ended_well_has_no_failure() -> None:
    with serve(asked(None)) as service:
        assert not service.wait(0)
        service._supervisor.request_stop("test")
        assert service.wait(PATIENCE)
        assert service.failure is None
        with pytest.raises(RequestsClosedError, match=r"or has ended$") as caught:
            service.request(Envelope(Ask(1)))
    assert caught.value.__cause__ is None


def told_of_the_end(service: Service, kind: type[KernelError], text: str) -> None:
    """Wait for the end of a run that fails, and see that whoever asks then is told why."""
    assert service.wait(PATIENCE)
    assert isinstance(service.failure, kind)
    killing = BoundaryDispatchInput(Ask(1), service.status().groups[0].name, "first")
    for ask in (
        lambda: service.request(Envelope(Ask(1))),
        lambda: service.execute_boundary([killing]),
    ):
        with pytest.raises(RequestsClosedError, match=f"the run has ended: {text}") as caught:
            ask()
        assert caught.value.__cause__ is service.failure


@pytest.mark.contract("HANDOFF-04")
def test_a_group_that_is_restarted_answers_again() -> None:
    again = {"restart": {"policy": "on_failure", "backoff_seconds": 0.01}}
    groups = [{**group, **(again if group["name"] == "two" else {})} for group in FOUR]
    with serve(asked(groups)) as service:
        killed = service.request(Envelope(Ask(1, do="kill:second"))).wait(PATIENCE)
        assert killed.error == "remote handoff transport failed for group 'two'"
        outcomes: list[TerminalEvent] = []

        def is_replaced() -> bool:
            outcomes.append(service.request(Envelope(Ask(2))).wait(PATIENCE))
            return outcomes[-1].category != "transport"

        until(is_replaced, "the successor is in its place")
        assert ok(outcomes[-1]).n == 4


def test_a_service_that_cannot_start_says_why() -> None:
    groups = [{**group, "nodes": group["nodes"][:1]} for group in FOUR]
    with pytest.raises(ServiceFailedError, match="echo: unplaced") as caught, serve(asked(groups)):
        pytest.fail("the block began")
    assert caught.value.code == 2


# ---- runs that end -------------------------------------------------------------------------------


@pytest.mark.contract("HANDOFF-05")
@pytest.mark.parametrize("groups", [None, FOUR], ids=["memory", "four"])
@pytest.mark.parametrize("asked_before", [0, 2])
def test_what_is_in_flight_is_answered_before_a_drain_ends_the_run(
    groups: Any, asked_before: int, gate: Gate, told: Told
) -> None:
    """Also where somebody had asked for a stop, and again, before the block's end did."""
    with serve(asked(groups, runtime=told.runtime)) as service:
        waiter = service.request(Envelope(Ask(4, do="wait:third", gate=gate.path)))
        gate.reached()
        for _ in range(asked_before):
            service._supervisor.request_stop("test")
        later = threading.Thread(target=lambda: (told.wait_for("drain_begun"), gate.open()))
        later.start()
    assert ok(waiter.wait(0)).n == 8
    later.join(PATIENCE)
    with pytest.raises(RequestsClosedError):
        service.request(Envelope(Ask(1)))


def test_what_nobody_answers_is_out_of_time_before_the_drain_is(gate: Gate) -> None:
    with serve(asked(FOUR, every_group={"stop_timeout_seconds": 12})) as service:
        waiter = service.request(Envelope(Ask(4, do="wait:first", gate=gate.path)))
        gate.reached()
        threading.Thread(target=lambda: (waiter.wait(PATIENCE), gate.open())).start()
    assert waiter.wait(0).status == "timeout"


def test_dead_letters_of_requests_are_all_in_the_file(tmp_path: Path) -> None:
    letters = tmp_path / "letters.jsonl"
    failure = {
        "nodes": {"risky": {"policy": "dead_letter"}},
        "dead_letter": {"path": str(letters)},
    }
    with serve(asked(FOUR, runtime={"failure": failure})) as service:
        outcomes = [service.request(Envelope(Risky(n))).wait(PATIENCE) for n in range(5)]
    assert {(o.status, o.node, o.cause_type) for o in outcomes} == {("error", "risky", "KeyError")}
    assert len(letters.read_text("utf-8").splitlines()) == 5


def test_what_nodes_give_up_of_requests_is_in_the_status_though_no_batch_comes() -> None:
    with serve(asked(FOUR)) as service:
        assert service.request(Envelope(Risky(1))).wait(PATIENCE).node == "risky"
        told = service.status
        until(lambda: sum(each.skipped for each in told().workers()), "a worker says it")


def test_a_block_that_raises_drains_the_run_and_raises_on() -> None:
    waiters: list[ReplyWaiter] = []

    def give_up() -> None:
        with serve(asked(None)) as service:
            waiters.append(service.request(Envelope(Ask(4))))
            raise KeyError

    with pytest.raises(KeyError):
        give_up()
    assert ok(waiters[0].wait(0)).n == 8


@pytest.mark.parametrize("groups", [None, FOUR], ids=["memory", "four"])
def test_requests_share_the_states_of_a_stream_that_runs_beside_them(
    groups: Any, gate: Gate, tmp_path: Path
) -> None:
    target = tmp_path / "out.txt"
    ends = [{"name": "in", "nodes": ["source:source"]}, {"name": "out", "nodes": ["sink:sink"]}]
    placed = groups and [{**g, "nodes": g["nodes"][:1]} for g in groups] + ends
    adapters = stream_of(target, gate)
    with serve(asked(placed, adapters=adapters, modules=["asked_app"])) as service:
        gate.reached()
        seen = [ok(service.request(Envelope(Ask(0, who="stream"))).wait()).seen for _ in range(50)]
        gate.open()
    assert len(target.read_text().splitlines()) == 3
    numbers = [int(line.split()[1]) for line in target.read_text().splitlines()]
    assert sorted(numbers + seen) == list(range(1, 54))
    assert seen == sorted(seen)


# ---- callers that do not wait --------------------------------------------------------------------


def asked_for(service: Service, count: int) -> None:
    """So many requests, a tenth of them given up or out of time, from four threads."""
    room = threading.BoundedSemaphore(200)

    def one(n: int) -> None:
        with room:
            waiter = service.request(
                Envelope(Ask(n)), timeout_seconds=0 if n % 20 == 0 else PATIENCE
            )
            if n % 20 == 10:
                waiter.cancel()
            assert waiter.wait(PATIENCE).status in ("success", "timeout", "cancelled")

    def several(start: int) -> None:
        for n in range(start, count, 4):
            one(n)

    threads = [threading.Thread(target=several, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def nothing_is_left(count: int) -> None:
    config = asked(FOUR)
    with serve(config) as service:
        asked_for(service, count)
        ok(service.request(Envelope(Ask(1))).wait(PATIENCE))
        counters = service.status().requests
        gateway = service._supervisor._parts.session.current.gateway  # type: ignore[attr-defined]
        assert (gateway._flights.now(), gateway._outbox) == ({}, {})
    assert counters.in_flight == 0
    assert counters.registered == count + 1
    assert counters.completed + counters.cancelled + counters.expired == count + 1
    assert counters.cancelled + counters.expired >= count // 20


def test_nothing_is_left_of_requests_that_nobody_waited_for() -> None:
    nothing_is_left(1_000)


@pytest.mark.soak
def test_nothing_is_left_of_a_hundred_thousand_requests() -> None:
    nothing_is_left(100_000)


@pytest.mark.contract("ROUTE-CACHE-01")
@pytest.mark.parametrize(("enabled", "hits"), [(True, 4), (False, 0)])
def test_where_requests_go_is_remembered_if_that_is_configured(enabled: bool, hits: int) -> None:
    cache = {"enabled": enabled, "max_entries": 7}
    with serve(asked(None, platform={"routing_cache": cache})) as service:
        for _ in range(5):
            ok(service.request(Envelope(Ask(1))).wait())
        snapshot = service._supervisor.route_cache_snapshot()
    assert (snapshot.enabled, snapshot.max_entries, snapshot.hits) == (enabled, 7, hits)
