"""What travels between processes, without one: the relay, headers, bundles, failure reports."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sk_config import build_config
from sk_control import ControlError
from sk_kernel import NodeFailedError, RecordTooLargeError, WireError
from sk_kernel.runtime import Batch, ExecutionPlan
from sk_supervisor import (
    BundleRejectedError,
    ChildBootstrapBundle,
    RuntimeWorkerFailedError,
    StopTimeoutError,
    load_child_bootstrap_bundle,
    prepare,
)
from sk_supervisor._hub.relay import CreditGrant, Relay
from sk_supervisor._plan.preflight import application_spec
from sk_supervisor._protocol.bundle import decode_bundle, encode_bundle
from sk_supervisor._protocol.failed import failed_of
from sk_supervisor._protocol.frames import (
    AckHeader,
    BatchHeader,
    CreditHeader,
    ReplyHeader,
    RequestHeader,
    batch_of,
    decode_header,
    encode_header,
    most_records,
    sampled_mark,
)
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor.errors import AlignmentError, HeaderError, RelayRefusedError
from supervisor_frames import header
from supervisor_harness import GROUPS, settings

# ---- the relay ---------------------------------------------------------------------------------


def plan_of() -> ExecutionPlan:
    return prepare(build_config(settings(Path("out.txt")))).plan


WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}


def test_a_frame_goes_where_its_header_says() -> None:
    relay = Relay(plan_of(), WORKERS)
    assert relay.route("in-0.1", header()) == "mid-0.1"
    assert relay.route("in-0.1", header(target_segment=2, receiver="out-0.1")) == "out-0.1"


def test_a_worker_has_sent_all_when_the_end_has_gone_every_way_out_of_it() -> None:
    relay = Relay(plan_of(), WORKERS)
    relay.route("in-0.1", header(), final=True)
    relay.route("in-0.1", header(target_segment=2, receiver="out-0.1", more=True), final=True)
    assert not relay.has_sent_all("in-0.1")
    relay.route("in-0.1", header(target_segment=2, receiver="out-0.1"), final=True)
    assert relay.has_sent_all("in-0.1")
    assert not relay.has_sent_all("mid-0.1")
    assert not relay.has_sent_all("out-0.1")


@pytest.mark.parametrize(
    ("connection", "changes"),
    [
        ("mid-0.1", {}),
        ("in-0.1", {"sender": "mid-0.1"}),
        ("in-0.1", {"source_segment": 1}),
        ("in-0.1", {"source_segment": 9}),
        ("in-0.1", {"target_segment": 0}),
        ("in-0.1", {"target_segment": 9}),
        ("in-0.1", {"receiver": "out-0.1"}),
        ("out-0.1", {"sender": "out-0.1", "source_segment": 2, "target_segment": 0}),
    ],
)
def test_a_frame_that_is_not_the_workers_to_send_is_refused(
    connection: str, changes: dict[str, Any]
) -> None:
    relay = Relay(plan_of(), WORKERS)
    with pytest.raises(RelayRefusedError):
        relay.route(connection, header(**changes))


def test_a_worker_sends_itself_nothing_though_it_runs_both_segments() -> None:
    ends = {"name": "ends", "nodes": [name for i in (0, 2) for name in GROUPS[i]["nodes"]]}
    plan = prepare(build_config(settings(Path("out.txt"), groups=[ends, GROUPS[1]]))).plan
    relay = Relay(plan, {"ends-0": "ends-0.1", "mid-0": "mid-0.1"})
    sent = header(sender="ends-0.1", receiver="ends-0.1", target_segment=2)
    with pytest.raises(RelayRefusedError, match="itself"):
        relay.route("ends-0.1", sent)


def test_credit_goes_to_the_source_once_for_each_step() -> None:
    relay = Relay(plan_of(), WORKERS)
    relay.route("in-0.1", header(epoch=3))
    given = [relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, n)) for n in (1, 1, 3, 2)]
    assert given == [CreditGrant(("in-0.1",), 1), None, CreditGrant(("in-0.1",), 3), None]
    for connection, claim in (
        ("mid-0.1", AckHeader("mid-0.1", 1, 4)),
        ("mid-0.1", AckHeader("out-0.1", 2, 4)),
        ("out-0.1", AckHeader("mid-0.1", 2, 4)),
    ):
        with pytest.raises(RelayRefusedError):
            relay.acknowledge(connection, claim)


def test_what_was_not_sent_yet_is_acknowledged_by_nobody() -> None:
    relay = Relay(plan_of(), WORKERS)
    relay.route("in-0.1", header(epoch=3))
    with pytest.raises(RelayRefusedError, match="batch 4, of which nothing was sent yet"):
        relay.acknowledge("out-0.1", AckHeader("out-0.1", 2, 4))
    assert relay.acknowledged == 0


def test_what_a_worker_reads_and_writes_itself_it_acknowledges_unseen() -> None:
    groups = [{"name": "all", "nodes": [name for group in GROUPS for name in group["nodes"]]}]
    plan = prepare(build_config(settings(Path("out.txt"), groups=groups))).plan
    relay = Relay(plan, {"all-0": "all-0.1"})
    credit = relay.acknowledge("all-0.1", AckHeader("all-0.1", 0, 4))
    assert credit == CreditGrant(("all-0.1",), 4)


# ---- headers -----------------------------------------------------------------------------------


@given(
    st.integers(1, 2**40),
    st.integers(0, 200).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n)))),
    st.booleans(),
    st.booleans(),
)
def test_a_batch_is_the_same_behind_its_header(
    first: int, size_and_offsets: tuple[int, set[int]], final: bool, complete: bool
) -> None:
    size, offsets = size_and_offsets
    sampled = frozenset(first + n for n in offsets if n < size)
    batch = Batch(7, first, first + size - 1, final, complete, {}, sampled)
    sent = header(
        epoch=7, first=first, last=batch.last, complete=complete, sampled=sampled_mark(batch)
    )
    came = decode_header(BatchHeader, encode_header(sent))
    assert came == sent
    assert batch_of(came, final=final) == batch


@pytest.mark.parametrize(
    ("first", "last", "sampled"),
    [
        (1, 10, [10]),
        (1, 10, [0, 5_000_000]),
        (1, 10, [2**63]),
        (1, 10, [-3]),
        (1, 10, [-(2**40), 0]),
        (1, 10, b"\xff" * 40),
        (1, 10, b"\x00\x04"),
        (1, 2**21, True),
        (10, 8, True),
        (10, 1, False),
    ],
)
def test_marks_that_are_of_none_of_its_records_are_refused_with_the_header(
    first: int, last: int, sampled: Any
) -> None:
    """Before a set of them is made: one of 2 ** 63 would be the end of the worker."""
    sent = encode_header(header(first=first, last=last, sampled=sampled))
    came = decode_header(BatchHeader, sent)
    with pytest.raises(HeaderError):
        batch_of(came, final=False)


@given(
    st.integers(1, 100),
    st.integers(-3, 40),
    st.booleans() | st.binary(max_size=6) | st.lists(st.integers(-3, 45), max_size=6),
)
def test_the_marks_of_a_batch_are_its_own_records_and_can_be_passed_on(
    first: int, size: int, sampled: Any
) -> None:
    with contextlib.suppress(HeaderError):
        batch = batch_of(header(first=first, last=first + size - 1, sampled=sampled), final=False)
        assert batch.sampled <= set(range(first, first + size))
        onward = header(first=first, last=batch.last, sampled=sampled_mark(batch))
        assert batch_of(onward, final=False).sampled == batch.sampled


@pytest.mark.parametrize("limit", [4_096, 65_535])
def test_the_largest_batch_has_room_in_a_header(limit: int) -> None:
    records = range(1, most_records(limit) + 1)
    batch = Batch(2**60, 1, len(records), sampled=frozenset(records[::2]))
    names = {"sender": "s" * 256, "receiver": "r" * 256, "run_id": "i" * 256}
    sent = header(epoch=2**60, sampled=sampled_mark(batch), scenario_id="x" * 256, **names)
    assert len(encode_header(sent)) <= limit


@pytest.mark.parametrize("limit", [4_096, 65_535])
def test_a_larger_batch_is_not_asked_for(limit: int) -> None:
    batch = {"max_records": 1_000_000}
    ipc = {"max_header_bytes": limit}
    configuration = settings(Path("out.txt"), platform={"batch": batch}, ipc=ipc)
    assert prepare(build_config(configuration)).limits.max_records == most_records(limit)


HEADERS = (
    header(),
    AckHeader("out-0.1", 2, 9),
    CreditHeader(9),
    RequestHeader("in-0.1", "mid-0.1", "r1", 0, 1),
    ReplyHeader("r1"),
)
KINDS = st.sampled_from([type(each) for each in HEADERS])


@given(st.binary(max_size=60), KINDS)
def test_any_bytes_are_a_header_or_a_typed_error(data: bytes, kind: type) -> None:
    with contextlib.suppress(HeaderError):
        assert isinstance(decode_header(kind, data), kind)


@given(st.sampled_from(HEADERS), st.integers(0), st.integers(0, 255))
@example(HEADERS[1], 2, 0xFF)
def test_a_header_with_any_byte_changed_is_one_or_a_typed_error(
    sent: object, place: int, byte: int
) -> None:
    """A name that is no UTF-8 too, of which msgspec says so by an error of another tree."""
    data = bytearray(encode_header(sent))
    data[place % len(data)] = byte
    with contextlib.suppress(HeaderError):
        assert isinstance(decode_header(type(sent), bytes(data)), type(sent))


def test_what_a_header_has_too_much_of_may_be_nested_as_deep_as_it_likes() -> None:
    sent = encode_header(CreditHeader(9))
    assert decode_header(CreditHeader, b"\x92" + sent[1:] + b"\x90").acknowledged == 9
    with pytest.raises(HeaderError):
        decode_header(CreditHeader, b"\x92" + sent[1:] + b"\x91" * 100_000 + b"\x90")


# ---- bundles and failures ----------------------------------------------------------------------


@pytest.mark.contract("CHILD-BOOT-03")
@given(
    st.binary(max_size=100)
    | st.sampled_from([b"{}", b"[]", b'{"application": 1}', b'{"letters": "\xff"}'])
)
def test_a_bundle_that_is_none_is_rejected_and_not_quoted(data: bytes) -> None:
    with pytest.raises(BundleRejectedError) as caught:
        decode_bundle(data)
    assert caught.value.problem in ("DecodeError", "ValidationError", "UnicodeDecodeError")


@pytest.mark.contract("P5PRE-HANDOFF-01")
def test_what_a_worker_says_of_an_error_holds_no_payload() -> None:
    failed = failed_of(NodeFailedError("work", "ValueError", 3), started=True)
    assert (failed.category, failed.node, failed.cause_type) == ("execution", "work", "ValueError")
    assert failed_of(WireError("no such edge"), started=True).category == "protocol"
    assert failed_of(ControlError(), started=True).category == "transport"
    for fault in (AlignmentError(7, (1, 0), "a part came after the last one"), HeaderError("Ack")):
        told = failed_of(fault, started=True)
        assert (told.category, told.message) == ("protocol", str(fault))
    large = failed_of(RecordTooLargeError("split", 4, 10, 5), started=True)
    assert (large.node, large.cause_type) == ("split", "RecordTooLargeError")
    unknown = failed_of(KeyError("secret payload"), started=True)
    assert (unknown.category, unknown.message) == ("execution", "KeyError")
    assert failed_of(KeyError("setting"), started=False).category == "start"


def test_errors_say_whose_fault_it_is_and_how_it_ended() -> None:
    crash = RuntimeWorkerFailedError(
        "crash", "mid", "mid-0.1", ended="signal SIGKILL", stderr_tail=["one", "two"]
    )
    assert str(crash) == (
        "worker mid-0.1 of group mid failed (crash): signal SIGKILL\n"
        "  it was killed by SIGKILL from outside: by a person, or by the kernel because"
        " memory was short (see dmesg)\n"
        "  | one\n"
        "  | two"
    )
    assert isinstance(StopTimeoutError(["a"], 2), TimeoutError)


@pytest.mark.contract("CHILD-BOOT-01")
def test_a_worker_derives_the_same_plan_from_plain_data() -> None:
    prepared = prepare(build_config(settings(Path("out.txt"))))
    bundle = ChildBootstrapBundle(
        application=application_spec(prepared.config),
        group_of=dict(prepared.plan.group_of),
        workers=WORKERS,
        limits=prepared.limits,
        link=LinkLimits(max_payload_bytes=1000),
    )
    data = encode_bundle(bundle)
    assert json.loads(data)["application"]["discovery_modules"] == ["supervised_app"]
    came = load_child_bootstrap_bundle(data)
    assert came.bundle == bundle
    assert came.application.graph.order == prepared.application.graph.order
    assert came.plan.segments == prepared.plan.segments


@pytest.mark.contract("CHILD-BOOT-03")
def test_a_worker_that_discovers_something_else_rejects_its_bundle() -> None:
    prepared = prepare(build_config(settings(Path("out.txt"))))
    bundle = ChildBootstrapBundle(
        application=application_spec(prepared.config),
        group_of={**prepared.plan.group_of, "ghost": "in"},
        workers=WORKERS,
        limits=prepared.limits,
        link=LinkLimits(max_payload_bytes=1000),
    )
    with pytest.raises(BundleRejectedError, match="ghost"):
        load_child_bootstrap_bundle(encode_bundle(bundle))
