"""Requests in the memory profile: what ends, fails and waits beside them, and what never does."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import UserDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import asked_alone
import pytest
from asked_alone import Both, Leave
from asked_app import Ask
from asked_streams import Awaited, Done
from asking import SIDE, Gate, asked
from sk_config import Config
from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    ReplyWaiter,
    RequestsClosedError,
    TerminalEvent,
    TooManyRequestsError,
    UnsendableRequestError,
)
from sk_observability import LifecycleLog
from sk_supervisor import (
    LocalBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    Service,
    ServiceFailedError,
    prepare,
    serve,
)
from sk_supervisor._system.promptness import Promptness
from supervisor_harness import left_since, threads

PATIENCE = 30.0
STREAMED = ("asked_app", "asked_streams")
MODULES = (*STREAMED, "asked_side", "asked_alone")
NODES = ["first", "second", "third", "last", *SIDE, "leaver", "a_first", "b_then", "awaiting"]
ALONE: tuple[dict[str, Any], ...] = ({"name": "one", "runner_profile": "async", "nodes": NODES},)


def local(source: str = "", gate: Gate | None = None) -> Config:
    """The memory profile; with a stream, if it is to have one, that does something at the gate."""
    if not source:
        return asked(None, modules=MODULES)
    settings = {"gate": gate.path} if gate else {}
    adapters = {"source": {"name": source, "settings": settings}, "sink": {"name": "replies"}}
    return asked(None, modules=STREAMED, adapters=adapters)


@pytest.fixture
def gates(tmp_path: Path) -> Callable[[str], Gate]:
    return lambda name: Gate(tmp_path, name)


@pytest.fixture
def none_left() -> Iterator[None]:
    """No thread is left behind."""
    before = threads()
    yield
    assert not left_since(before)


def replied(waiter: ReplyWaiter) -> Done:
    outcome = waiter.wait(PATIENCE)
    assert outcome.status == "success", outcome
    assert isinstance(outcome.payload, Done)
    return outcome.payload


def outcome_of(service: Service, waiter: ReplyWaiter) -> threading.Event:
    """Set when there is one, though nobody waits for it."""
    came = threading.Event()
    if not service._supervisor.handoff.waiters.subscribe(waiter, came.set):  # type: ignore[attr-defined]
        came.set()
    return came


def test_what_is_given_up_behind_a_node_is_in_flight_until_that_has_done(
    gates: Callable[[str], Gate],
) -> None:
    gate = gates("gate")
    three = {"requests": {"max_in_flight": 3}}
    with serve(asked(None, modules=MODULES, platform=three)) as service:
        stuck = service.request(Envelope(Ask(1, do="wait:first", gate=gate.path)))
        gate.reached()
        queued, behind = (service.request(Envelope(Awaited(n))) for n in (1, 2))
        assert stuck.cancel()
        assert queued.cancel()
        with pytest.raises(TooManyRequestsError) as caught:
            service.request(Envelope(Awaited(3)))
        assert caught.value.unfinished == 2
        gate.open()
        assert replied(behind).n == 2
        assert service.status().requests.unfinished == 0


def test_what_serve_gives_is_entered_once() -> None:
    serving = serve(local())
    with serving as service:
        with pytest.raises(ServiceFailedError, match="is for one block, and was entered before"):
            serving.__enter__()
        assert replied(service.request(Envelope(Awaited(1)))).n == 1


# ---- nodes ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("none_left")
def test_a_node_that_would_end_the_process_fails_its_request_alone() -> None:
    with serve(local()) as service:
        outcome = service.request(Envelope(Leave(3))).wait(PATIENCE)
        assert (outcome.status, outcome.category) == ("error", "execution")
        assert outcome.cause_type == "SystemExit"
        assert replied(service.request(Envelope(Awaited(1)))).n == 1


@pytest.fixture(scope="module", params=["memory", "one group"])
def alone(request: pytest.FixtureRequest) -> Iterator[Service]:
    """One process has all nodes."""
    memory = request.param == "memory"
    with serve(local() if memory else asked(ALONE, modules=MODULES)) as service:
        yield service


def test_what_is_said_and_is_no_text_is_refused_in_every_profile(alone: Service) -> None:
    headers: Any = {"tenant": 7}
    group = alone.status().groups[0].name
    with pytest.raises(UnsendableRequestError):
        alone.request(Envelope(Awaited(1), headers=headers))
    with pytest.raises(UnsendableRequestError):
        alone.execute_boundary(
            [BoundaryDispatchInput(Awaited(1), group, "awaiting", headers=headers)]
        )
    for said in ("trace_id", "reply_to"):
        asked: Any = {said: 7}
        with pytest.raises(UnsendableRequestError, match=f"a {said} that is no text"):
            alone.execute_boundary([BoundaryDispatchInput(Awaited(1), group, "awaiting", **asked)])
    assert alone.status().requests.in_flight == 0


def test_of_a_payload_that_two_nodes_take_the_second_reply_is_a_duplicate(alone: Service) -> None:
    before = alone.status().requests
    assert replied(alone.request(Envelope(Both(1)))).by == "a_first"
    replied(alone.request(Envelope(Awaited(1))))  # behind the second one
    after = alone.status().requests
    assert after.completed - before.completed == 2
    assert after.duplicate_terminal - before.duplicate_terminal == 1


@pytest.mark.parametrize("silent", ["a_first", "b_then"])
def test_of_a_payload_that_one_of_two_nodes_drops_the_reply_is_the_others(
    alone: Service, silent: str
) -> None:
    reply = replied(alone.request(Envelope(Both(1, silent=(silent,)))))
    assert {reply.by, silent} == {"a_first", "b_then"}


def test_a_payload_that_two_nodes_drop_ends_without_one(alone: Service) -> None:
    outcome = alone.request(Envelope(Both(1, silent=("a_first", "b_then")))).wait(PATIENCE)
    assert (outcome.status, outcome.payload) == ("success", None)


def test_a_request_that_has_begun_is_run_by_all_that_take_it(
    gates: Callable[[str], Gate],
) -> None:
    gate = gates("gate")
    with serve(local()) as service:
        begun = service.request(Envelope(Both(101, gate.path)))
        gate.reached()
        begun.cancel()
        never = service.request(Envelope(Both(102)))
        never.cancel()
        gate.open()
        replied(service.request(Envelope(Both(103))))
    ran = [each for each in asked_alone.RAN if each[1] > 100]
    assert ran == [(name, n) for n in (101, 103) for name in ("a_first", "b_then")]


def test_where_one_of_two_nodes_that_take_a_request_fails_the_other_is_not_run_as_in_a_worker(
    tmp_path: Path,
) -> None:
    with serve(local()) as service:
        outcome = service.request(Envelope(Both(201, str(tmp_path / "none")))).wait(PATIENCE)
        assert (outcome.node, outcome.cause_type) == ("a_first", "FileNotFoundError")
    assert [name for name, n in asked_alone.RAN if n == 201] == []


# ---- ends ----------------------------------------------------------------------------------------


@pytest.mark.contract("HANDOFF-05")
@pytest.mark.usefixtures("none_left")
def test_a_drain_expires_what_nobody_waits_for(gates: Callable[[str], Gate]) -> None:
    gate = gates("gate")
    expired: list[bool] = []
    with serve(local()) as service:
        waiter = service.request(Envelope(Both(1, gate.path)), timeout_seconds=2)
        gate.reached()
        came = outcome_of(service, waiter)

        def watch() -> None:
            expired.append(came.wait(PATIENCE))
            gate.open()

        other = threading.Thread(target=watch)
        other.start()
    other.join(PATIENCE)
    assert expired == [True]
    assert waiter.outcome is not None
    assert waiter.outcome.status == "timeout"


class Slow(UserDict[str, str]):
    """Headers that are copied when something has happened: between register and put."""

    def __init__(self, until: Callable[[], None]) -> None:
        super().__init__(slow="yes")
        self._until = until

    def __iter__(self) -> Iterator[str]:
        self._until()
        return super().__iter__()


@pytest.mark.contract("HANDOFF-05")
def test_a_request_that_was_taken_is_answered_though_the_input_ends_meanwhile(
    gates: Callable[[str], Gate],
) -> None:
    gate = gates("gate")
    with serve(local("ends", gate)) as service:

        def until_none_is_taken() -> None:
            gate.open()
            with suppress(RequestsClosedError):
                while True:
                    service.request(Envelope(Awaited(0))).wait(PATIENCE)

        waiter = service.request(Envelope(Awaited(7), headers=Slow(until_none_is_taken)))
        assert replied(waiter).n == 7


@pytest.mark.contract("HANDOFF-04")
@pytest.mark.usefixtures("none_left")
def test_a_stream_that_fails_fails_what_is_in_flight_and_is_what_is_told(
    gates: Callable[[str], Gate],
) -> None:
    gate, held = gates("gate"), gates("held")
    outcomes: list[TerminalEvent] = []

    def failing() -> None:
        with serve(local("breaks", gate)) as service:
            waiting = service.request(Envelope(Awaited(1, held.path)))
            queued = service.request(Envelope(Awaited(2)))
            held.reached()
            gate.open()
            outcomes.extend(waiter.wait(PATIENCE) for waiter in (waiting, queued))
            held.open()

    with pytest.raises(ServiceFailedError, match="the input is gone") as caught:
        failing()
    assert "RuntimeError" not in str(caught.value)
    for outcome in outcomes:
        assert (outcome.status, outcome.category, outcome.group) == ("error", "transport", "memory")
        assert outcome.error == "remote handoff transport failed for group 'memory'"


@pytest.mark.usefixtures("none_left")
def test_a_node_that_outlives_the_run_leaves_no_thread_when_it_ends(
    gates: Callable[[str], Gate],
) -> None:
    gate, held = gates("gate"), gates("held")

    def failing() -> None:
        with serve(local("breaks", gate)) as service:
            service.request(Envelope(Ask(1, do="wait:first", gate=held.path)))
            held.reached()
            gate.open()

    with pytest.raises(ServiceFailedError, match="the input is gone"):
        failing()
    held.open()


@pytest.mark.usefixtures("none_left")
def test_a_source_that_raises_when_it_is_interrupted_keeps_no_caller_waiting(
    gates: Callable[[str], Gate],
) -> None:
    gate = gates("gate")

    answers: list[TerminalEvent] = []
    waits = threading.Event()

    async def awaiting(waiter: ReplyWaiter) -> TerminalEvent:
        return await waiter

    async def asking(waiter: ReplyWaiter) -> None:
        task = asyncio.ensure_future(awaiting(waiter))
        await asyncio.sleep(0)
        waits.set()
        answers.append(await task)

    def interrupted() -> None:
        with serve(local("deaf")) as service:
            waiter = service.request(Envelope(Ask(1, do="wait:first", gate=gate.path)))
            thread = threading.Thread(target=lambda: asyncio.run(asking(waiter)))
            thread.start()
            assert waits.wait(PATIENCE)
            gate.reached()
            service._supervisor.request_stop("test")
            with suppress(RequestsClosedError):
                while True:
                    with suppress(TooManyRequestsError):
                        service.request(Envelope(Awaited(0))).cancel()
            gate.open()
            thread.join(PATIENCE)
            assert [answer.status for answer in answers] == ["success"]

    with pytest.raises(ServiceFailedError, match="interrupt"):
        interrupted()


def test_an_exporter_may_not_take_as_long_as_it_likes_to_close() -> None:
    patient = {"endpoint": "http://127.0.0.1:9", "shutdown_timeout_seconds": 60}
    exporters = [{"kind": "otel_otlp", "settings": patient}]
    config = asked(None, runtime={"observability": {"tracing": {"exporters": exporters}}})
    prepared = prepare(config)
    supervisor = LocalBootstrapSupervisor(prepared, "r1", LifecycleLog("r1"))
    supervisor.start_groups([])
    exporter: Any = supervisor._run.spans._outlets[0]._exporter  # type: ignore[union-attr]
    assert exporter._limits.close_seconds == prepared.flush_seconds < 60
    supervisor.shutdown()


# ---- starts --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("none_left")
def test_no_request_is_taken_before_source_and_sink_are_open(gates: Callable[[str], Gate]) -> None:
    gate = gates("gate")
    supervisor = LocalBootstrapSupervisor(prepare(local("held", gate)), "r1", LifecycleLog("r1"))
    supervisor.start_groups([])
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    gate.reached()
    assert not supervisor.wait_started(0)
    with pytest.raises(RequestsClosedError):
        supervisor.request(Envelope(Awaited(4)))
    gate.open()
    assert supervisor.wait_started(PATIENCE)
    assert replied(supervisor.request(Envelope(Awaited(5)))).n == 5
    supervisor.request_stop("test")
    thread.join(PATIENCE)
    supervisor.shutdown()


@pytest.mark.usefixtures("none_left")
def test_a_run_that_cannot_open_its_source_takes_no_request() -> None:
    supervisor = LocalBootstrapSupervisor(prepare(local("held")), "r1", LifecycleLog("r1"))
    supervisor.start_groups([])
    with pytest.raises(RuntimeLifecycleReadyError):
        supervisor.run()
    assert not supervisor.wait_started(PATIENCE)
    supervisor.shutdown()


@pytest.mark.usefixtures("none_left")
def test_a_start_that_is_interrupted_leaves_no_run_behind(gates: Callable[[str], Gate]) -> None:
    gate, came = gates("gate"), threading.Event()

    def handler(*_: object) -> None:
        came.set()
        raise KeyboardInterrupt

    def interrupt() -> None:
        gate.reached()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        came.wait(PATIENCE)
        gate.open()

    before = signal.signal(signal.SIGINT, handler)
    other = threading.Thread(target=interrupt)
    other.start()
    try:
        with pytest.raises(KeyboardInterrupt), serve(local("held", gate)):
            pytest.fail("the block began")
    finally:
        signal.signal(signal.SIGINT, before)
    other.join(PATIENCE)


def test_the_switch_interval_is_put_back_when_the_last_that_wants_it_short_has_ended() -> None:
    found = sys.getswitchinterval()
    promptness, first, second = Promptness(), ExitStack(), ExitStack()
    sys.setswitchinterval(0.004)
    try:
        with second:
            with first:
                first.enter_context(promptness.held())
                second.enter_context(promptness.held())
            assert sys.getswitchinterval() == pytest.approx(0.000_3)
        assert sys.getswitchinterval() == pytest.approx(0.004)
    finally:
        sys.setswitchinterval(found)
