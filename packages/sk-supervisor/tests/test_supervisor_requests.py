"""Requests over four real worker processes, several workers, and in the memory profile."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from asked_app import Ask, Reply
from asked_side import Chunk, Risky, Twice
from asking import FOUR, ONE, SHARED, Gate, asked
from sk_kernel import (
    BoundaryDispatchInput,
    Envelope,
    RecordTooLargeError,
    ReplyWaiter,
    TerminalEvent,
    TooManyInputsError,
    TooManyRequestsError,
    UnknownRouteError,
)
from sk_supervisor import (
    HandoffError,
    HandoffFailedError,
    HandoffTimeoutError,
    HandoffTransportError,
    Service,
    serve,
)

PATIENCE = 30.0
#: Long enough to be called before it is over, on a machine that is held up.
SOON = 2.0


@pytest.fixture(scope="module")
def four() -> Iterator[Service]:
    """Four groups of one worker each; at most eight requests are in flight."""
    with serve(asked(FOUR, platform={"requests": {"max_in_flight": 8}})) as service:
        yield service


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    """Groups of one, two, three and one workers."""
    with serve(asked(SHARED)) as service:
        yield service


@pytest.fixture(scope="module", params=["memory", "one group"])
def alone(request: pytest.FixtureRequest) -> Iterator[Service]:
    """One process has all nodes."""
    with serve(asked(None if request.param == "memory" else ONE)) as service:
        yield service


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def replied(waiter: ReplyWaiter) -> Reply:
    outcome = waiter.wait(PATIENCE)
    assert outcome.status == "success", outcome
    assert isinstance(outcome.payload, Reply)
    return outcome.payload


def dispatch(
    ask: object, group: str = "one", target: str = "first", **more: str
) -> BoundaryDispatchInput:
    return BoundaryDispatchInput(ask, group, target, **more)


# ---- the way -------------------------------------------------------------------------------------


@pytest.mark.contract("HANDOFF-01", "HANDOFF-C-01", "P5PRE-EXEC-01", "PH4-D-01")
def test_a_request_is_executed_in_each_group_that_owns_a_node_on_its_way(four: Service) -> None:
    reply = replied(four.request(Envelope(Ask(21, who="way"))))
    workers = {w.worker_id: w.os_pid for w in four.status().workers()}
    assert reply.pids == [workers[f"{group}-0.1"] for group in ("one", "two", "three", "four")]
    assert os.getpid() not in reply.pids  # where a local runner could have done it
    assert reply.n == 42


@pytest.mark.contract("HANDOFF-02")
def test_nodes_of_one_group_pass_it_on_without_a_hop(alone: Service) -> None:
    reply = replied(alone.request(Envelope(Ask(21, who="local"))))
    assert len(reply.pids) == 4
    assert len(set(reply.pids)) == 1


@pytest.mark.contract("HANDOFF-02")
def test_in_the_memory_profile_that_is_the_callers_own_process() -> None:
    with serve(asked(None)) as service:
        assert set(replied(service.request(Envelope(Ask(1)))).pids) == {os.getpid()}


@pytest.mark.contract("HANDOFF-03", "PH4-D-02", "HANDOFF-D-02")
def test_a_reply_comes_under_the_callers_trace_id_whatever_the_child_called_it(
    four: Service,
) -> None:
    outcome = four.request(Envelope(Ask(1, do="alias"), trace_id="mine")).wait(PATIENCE)
    assert outcome.trace_id == "mine"
    assert outcome.payload.trace_id == "the-child's-own"  # which was used, and stays there


@pytest.mark.contract("P5PRE-EXEC-03")
def test_trace_id_reply_to_and_headers_reach_the_last_node(four: Service) -> None:
    envelope = Envelope(Ask(1), trace_id="t", reply_to="r", headers={"tenant": "a"})
    reply = replied(four.request(envelope))
    assert (reply.trace_id, reply.reply_to, reply.headers) == ("t", "r", {"tenant": "a"})


def test_a_request_that_the_graph_drops_ends_without_a_payload(four: Service) -> None:
    outcome = four.request(Envelope(Ask(1, do="drop"))).wait(PATIENCE)
    assert (outcome.status, outcome.payload) == ("success", None)


@pytest.mark.contract("HANDOFF-C-02")
def test_a_target_is_resolved_among_the_nodes_of_the_worker(four: Service) -> None:
    assert replied(four.request(Envelope(Twice(7), target="right"))).n == 7


def test_what_no_node_takes_is_refused_before_it_is_sent(four: Service) -> None:
    with pytest.raises(UnknownRouteError, match="no node consumes str"):
        four.request(Envelope("a text"))
    with pytest.raises(UnknownRouteError, match="'third'"):
        four.request(Envelope(Ask(1), target="third"))
    assert four.status().requests.in_flight == 0


def test_a_payload_larger_than_a_frame_is_refused_to_the_caller(four: Service) -> None:
    with pytest.raises(RecordTooLargeError, match=r"^a request to '.*max_payload_bytes"):
        four.request(Envelope(Chunk(bytes(1 << 26))))
    assert four.status().requests.in_flight == 0


# ---- several workers -----------------------------------------------------------------------------


@pytest.mark.contract("P5PRE-EXEC-05")
def test_a_key_meets_the_same_worker_and_others_are_met_in_turn(shared: Service) -> None:
    names = [str(n) for n in range(12)]
    replies = [replied(shared.request(Envelope(Ask(0, who=n)))) for n in names for _ in range(4)]
    counts = [reply.seen for reply in replies]
    assert counts == [1, 2, 3, 4] * len(names)
    thirds = [reply.pids[2] for reply in replies]
    assert all(len(set(thirds[i : i + 4])) == 1 for i in range(0, len(thirds), 4))
    assert len({reply.pids[1] for reply in replies}) == 2
    assert len(set(thirds)) == 3


# ---- failures ------------------------------------------------------------------------------------


def test_each_request_is_counted_by_its_outcome(alone: Service, gate: Gate) -> None:
    before = alone.status().requests.outcomes()
    alone.request(Envelope(Ask(1, do="raise:third"))).wait(PATIENCE)
    late = alone.request(Envelope(Ask(1, do="wait:last", gate=gate.path)), timeout_seconds=SOON)
    gate.reached()
    late.wait(PATIENCE)
    gate.open()
    replied(alone.request(Envelope(Ask(1))))
    after = alone.status().requests.outcomes()
    counted = {outcome: count - before[outcome] for outcome, count in after.items()}
    assert counted == {"success": 1, "error": 1, "timeout": 1, "cancelled": 0, "refused": 0}


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_what_a_node_raises_is_the_failure_of_that_request_alone(four: Service) -> None:
    failing = four.request(Envelope(Ask(1, do="raise:third")))
    other = four.request(Envelope(Ask(1, who="other")))
    outcome = failing.wait(PATIENCE)
    assert (outcome.status, outcome.category) == ("error", "execution")
    assert (outcome.group, outcome.node, outcome.cause_type) == ("three", "third", "ValueError")
    assert "secret" not in repr(outcome)
    assert replied(other).n == 2


def test_a_record_that_is_given_up_is_a_failure_for_whoever_asked(four: Service) -> None:
    outcome = four.request(Envelope(Risky(1))).wait(PATIENCE)
    assert (outcome.status, outcome.node, outcome.cause_type) == ("error", "risky", "KeyError")


def test_a_reply_that_cannot_be_sent_is_a_failure(four: Service) -> None:
    outcome = four.request(Envelope(Chunk(b"", grow=2))).wait(PATIENCE)
    assert (outcome.status, outcome.cause_type) == ("error", "NodeOutputError")


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(Ask("no number")),  # type: ignore[arg-type]
        Envelope(Ask(1, who=["no", "key"])),  # type: ignore[arg-type]
    ],
    ids=["payload", "key"],
)
def test_what_is_not_as_declared_is_the_failure_of_that_request_alone(
    four: Service, envelope: Envelope[Ask]
) -> None:
    outcome = four.request(envelope).wait(PATIENCE)
    assert (outcome.status, outcome.cause_type) == ("error", "UnsendableRequestError")
    assert replied(four.request(Envelope(Ask(2)))).n == 4


@pytest.mark.contract("HANDOFF-04", "HANDOFF-E-01", "HANDOFF-D-02")
def test_a_child_that_takes_too_long_is_a_timeout_and_its_late_reply_is_dropped(
    four: Service, gate: Gate
) -> None:
    before = four.status().requests
    waiter = four.request(Envelope(Ask(1, do="wait:last", gate=gate.path)), timeout_seconds=SOON)
    gate.reached()
    outcome = waiter.wait()
    assert (outcome.status, outcome.category) == ("timeout", "timeout")
    assert outcome.error == "remote handoff timed out for group 'one'"
    gate.open()
    replied(four.request(Envelope(Ask(1))))  # behind the late one, which has come by now
    took = four.status().request_seconds["timeout"]
    assert took.count > 0
    assert took.sum >= SOON
    after = four.status().requests
    assert after.expired - before.expired == 1
    assert after.late_reply_drop - before.late_reply_drop == 1


@pytest.mark.contract("HANDOFF-D-01")
def test_of_two_replies_the_first_wins_and_the_other_is_counted(four: Service) -> None:
    before = four.status().requests
    assert replied(four.request(Envelope(Twice(5)))).n == 5
    replied(four.request(Envelope(Twice(6), target="left")))  # behind the second one
    after = four.status().requests
    assert after.completed - before.completed == 2
    assert after.duplicate_terminal - before.duplicate_terminal == 1


def test_more_than_may_be_in_flight_are_refused_at_once(four: Service, gate: Gate) -> None:
    waiting = four.request(Envelope(Ask(1, do="wait:first", gate=gate.path)))
    gate.reached()
    others = [four.request(Envelope(Ask(1))) for _ in range(7)]
    with pytest.raises(
        TooManyRequestsError, match=r"^8 requests .* \(runtime\.platform\.requests\.max_in_flight\)"
    ):
        four.request(Envelope(Ask(1)))
    gate.open()
    assert {replied(waiter).n for waiter in [waiting, *others]} == {2}


def test_what_nobody_waits_for_any_more_is_in_flight_until_its_worker_has_done_with_it(
    four: Service, gate: Gate
) -> None:
    stuck = four.request(Envelope(Ask(1, do="wait:last", gate=gate.path)))
    gate.reached()
    given_up = [stuck, *(four.request(Envelope(Ask(1))) for _ in range(6))]
    behind = four.request(Envelope(Ask(1)))
    assert all(waiter.cancel() for waiter in given_up)
    assert (four.status().requests.in_flight, four.status().requests.unfinished) == (1, 7)
    with pytest.raises(TooManyRequestsError, match="nobody waits for 7 of them any more"):
        four.request(Envelope(Ask(1)))
    gate.open()
    replied(behind)
    assert four.status().requests.unfinished == 0


# ---- awaiting ------------------------------------------------------------------------------------


def test_requests_are_awaited_on_any_event_loop(four: Service) -> None:
    async def ask(n: int) -> TerminalEvent:
        return await four.request(Envelope(Ask(n)))

    async def several() -> list[TerminalEvent]:
        return await asyncio.gather(*(ask(n) for n in range(4)))

    results: list[list[int]] = []
    threads = [
        threading.Thread(
            target=lambda: results.append([r.payload.n for r in asyncio.run(several())])
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert results == [[0, 2, 4, 6]] * 2


def test_a_cancelled_await_cancels_its_request(four: Service, gate: Gate) -> None:
    before = four.status().requests.cancelled

    async def give_up() -> None:
        task = asyncio.ensure_future(four.request(Envelope(Ask(1, do="wait:last", gate=gate.path))))
        await asyncio.to_thread(gate.reached)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    gate.open()
    replied(four.request(Envelope(Ask(1))))
    assert four.status().requests.cancelled == before + 1
    assert four.status().requests.in_flight == 0


# ---- the blocking form ---------------------------------------------------------------------------


@pytest.mark.contract("HANDOFF-C-03", "P5PRE-EXEC-03")
def test_a_mixed_batch_goes_to_each_group_of_its_own_and_comes_back_in_order(
    four: Service,
) -> None:
    inputs = [
        dispatch(Ask(1), trace_id="a", reply_to="x"),
        dispatch(Twice(9), "two", "left", trace_id="b"),
        dispatch(Ask(3, do="drop"), trace_id="c"),
        dispatch(Ask(4), trace_id="d"),
    ]
    outputs = four.execute_boundary(inputs).terminal_outputs
    assert [(o.trace_id, o.reply_to, o.payload.n) for o in outputs] == [
        ("a", "x", 2),
        ("b", "b", 9),
        ("d", "d", 8),
    ]
    pids = {w.worker_id: w.os_pid for w in four.status().workers()}
    assert outputs[1].payload.pids == [pids["two-0.1"]]


def test_more_inputs_than_may_ever_be_in_flight_are_refused_before_any_is_sent(
    four: Service,
) -> None:
    before = four.status().requests
    with pytest.raises(TooManyInputsError) as caught:
        four.execute_boundary([dispatch(Ask(1))] * 9)
    assert (caught.value.count, caught.value.limit) == (9, 8)
    assert four.status().requests == before


def test_of_inputs_that_are_not_all_taken_none_is_sent(four: Service, gate: Gate) -> None:
    waiting = four.request(Envelope(Ask(1, do="wait:last", gate=gate.path)))
    gate.reached()
    with pytest.raises(TooManyRequestsError):
        four.execute_boundary([dispatch(Ask(1, who="none"))] * 8)
    assert four.status().requests.unfinished == 0
    gate.open()
    assert replied(waiting).n == 2
    assert replied(four.request(Envelope(Ask(1, who="none")))).seen == 1


@pytest.mark.contract("P5PRE-EXEC-02")
@pytest.mark.parametrize("target", [("nowhere", "first"), ("two", "first")])
def test_a_group_that_does_not_have_the_target_is_the_callers_fault_and_no_lost_connection(
    four: Service, target: tuple[str, str]
) -> None:
    with pytest.raises(UnknownRouteError) as caught:
        four.execute_boundary([dispatch(Ask(1), *target)])
    error = caught.value
    assert (error.category, error.group, error.target) == ("transport", *target)
    assert not isinstance(error, ConnectionError)


@pytest.mark.contract("P5PRE-EXEC-02")
def test_in_one_process_a_boundary_is_executed_on_the_spot(alone: Service) -> None:
    (group,) = alone.status().groups
    (output,) = alone.execute_boundary([dispatch(Ask(1), group.name)]).terminal_outputs
    assert output.payload.n == 2


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_a_failed_input_raises_where_and_of_what_without_its_text(four: Service) -> None:
    with pytest.raises(RuntimeError) as caught:
        four.execute_boundary([dispatch(Ask(1)), dispatch(Ask(2, do="raise:second"))])
    error = caught.value
    assert isinstance(error, HandoffFailedError)
    assert (error.group, error.node, error.cause_type) == ("two", "second", "ValueError")
    assert str(error) == "remote handoff failed for group 'two'"


@pytest.mark.contract("HANDOFF-E-01", "HANDOFF-04")
def test_an_input_without_a_reply_in_time_raises_a_timeout(four: Service, gate: Gate) -> None:
    asked_for = [dispatch(Ask(1, do="wait:second", gate=gate.path))]
    opening = threading.Thread(target=gate.reached)
    opening.start()
    with pytest.raises(TimeoutError, match="remote handoff timed out for group 'one'") as caught:
        four.execute_boundary(asked_for, timeout_seconds=SOON)
    assert isinstance(caught.value, HandoffTimeoutError)
    opening.join(PATIENCE)
    gate.open()
    replied(four.request(Envelope(Ask(1))))  # behind the late one, which others do not expect


def test_every_handoff_error_says_its_category() -> None:
    kinds = (HandoffTimeoutError, HandoffTransportError, HandoffFailedError, HandoffError)
    assert [kind.category for kind in kinds] == ["timeout", "transport", "execution", "cancelled"]
