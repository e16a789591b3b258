"""Messages as values, and their codec."""

from __future__ import annotations

import pickle
from dataclasses import fields
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_control import (
    BootstrapBundle,
    BootstrapKeyBundle,
    BundleAck,
    ControlError,
    ControlMessage,
    Direction,
    Drained,
    DrainOutcome,
    ExporterCounts,
    Failed,
    Heartbeat,
    Hello,
    InvalidFieldError,
    MessageKind,
    MessageRefusedError,
    Metering,
    PeerReplaced,
    Progress,
    Ready,
    RefusalCode,
    SpanCounts,
    StartWork,
    Stop,
    StopAck,
    WorkerIdentity,
    decode,
    encode,
)
from sk_control._pb import control_pb2 as pb
from sk_transport import Secret

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
texts = st.text(st.characters(codec="utf-8"), max_size=60)
counts = st.integers(0, 2**64 - 1)
small = st.integers(1, 2**32 - 1)
spans = st.floats(0, 1e12)
buckets = st.lists(counts, max_size=20).map(tuple)
meterings = st.builds(
    Metering, spans, spans, spans, spans, buckets, spans, buckets, spans, st.none() | counts
)
progresses = st.builds(
    Progress,
    counts,
    counts,
    counts,
    texts,
    texts,
    metering=st.none() | meterings,
    source_records=counts,
)
exporters = st.builds(
    ExporterCounts, names, counts, st.dictionaries(names, counts, max_size=3), texts
)
secrets = st.binary(min_size=1, max_size=64).map(Secret)
bundles = st.builds(
    BootstrapBundle,
    run_id=names,
    scenario_id=names,
    group=names,
    worker_index=st.integers(0, 2**32 - 1),
    incarnation=small,
    discovery_modules=st.lists(names, max_size=4).map(tuple),
    application=st.binary(max_size=80),
    data_host=names,
    data_port=st.integers(1, 65535),
    heartbeat_seconds=st.floats(0.001, 1e6),
    keys=st.dictionaries(names, secrets, max_size=4).map(BootstrapKeyBundle),
)
messages = st.one_of(
    st.builds(
        Hello, st.lists(small, min_size=1, max_size=4).map(tuple), names, names, small, small, small
    ),
    bundles,
    st.just(BundleAck()),
    st.builds(Ready, st.lists(names, max_size=3).map(tuple)),
    st.builds(Heartbeat, st.none() | progresses),
    progresses,
    st.just(StartWork()),
    st.builds(Stop, st.booleans(), texts),
    st.just(StopAck()),
    st.builds(
        Drained,
        st.sampled_from(DrainOutcome),
        counts,
        counts,
        st.dictionaries(names, st.integers(-(2**63), 2**63 - 1), max_size=4),
    ),
    st.builds(Failed, names, texts, texts, texts, texts),
    st.builds(
        PeerReplaced,
        names,
        names,
        small,
        st.dictionaries(names, secrets, max_size=4).map(BootstrapKeyBundle),
    ),
    st.builds(SpanCounts, counts, st.lists(exporters, max_size=3).map(tuple), st.booleans()),
)


def outcome(kind: int, body: bytes) -> ControlMessage | MessageRefusedError:
    try:
        return decode(kind, body)
    except MessageRefusedError as fault:
        return fault


@given(messages)
def test_what_is_encoded_decodes_to_the_same_message(message: ControlMessage) -> None:
    """Every message survives the wire whole, and has one serialisation."""
    kind, body = encode(message)
    decoded = decode(kind, body)
    assert decoded == message
    assert encode(decoded) == (kind, body)


@pytest.mark.contract("P5PRE-CTRL-05")
@given(st.dictionaries(names, st.binary(min_size=1, max_size=64), max_size=6))
def test_key_material_survives_the_codec_byte_for_byte(keys: dict[str, bytes]) -> None:
    """Zero bytes, bytes that are no UTF-8, any length: what goes in comes out."""
    secrets = BootstrapKeyBundle({name: Secret(key) for name, key in keys.items()})
    bundle = BootstrapBundle("r", "s", "g", 0, 1, (), b"", "127.0.0.1", 1, 1.0, secrets)
    decoded = decode(*encode(bundle))
    assert isinstance(decoded, BootstrapBundle)
    assert {name: key.reveal() for name, key in decoded.keys.items()} == keys


@given(st.integers(-5, 40), st.binary(max_size=200))
def test_hostile_bytes_decode_to_a_message_or_a_typed_refusal(kind: int, body: bytes) -> None:
    """Whatever the body is, nothing but MessageRefusedError comes out of decode."""
    assert isinstance(outcome(kind, body), (*get_args(ControlMessage), MessageRefusedError))


@given(messages, st.data())
def test_a_damaged_body_decodes_to_a_message_or_a_typed_refusal(
    message: ControlMessage, data: st.DataObject
) -> None:
    """The same for bodies that are nearly right: cut off, or with one byte changed."""
    kind, body = encode(message)
    position = data.draw(st.integers(0, len(body)))
    damaged = body[:position] + data.draw(st.binary(max_size=2)) + body[position + 1 :]
    assert isinstance(outcome(kind, damaged), (type(message), MessageRefusedError))


@pytest.mark.parametrize("kind", [0, 99, -1, 2**31])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    """A number that names no message has its own code."""
    with pytest.raises(MessageRefusedError) as caught:
        decode(kind, b"")
    assert caught.value.code is RefusalCode.UNKNOWN_KIND


def test_deep_nesting_is_refused() -> None:
    """A group nested ten thousand deep exhausts nothing but the parser's patience."""
    with pytest.raises(MessageRefusedError) as caught:
        decode(MessageKind.HEARTBEAT, b"\x1b" * 10_000)
    assert caught.value.code is RefusalCode.UNDECODABLE


def test_an_unknown_field_of_a_body_is_ignored() -> None:
    """A later minor version may add fields; they are signed like the rest."""
    assert decode(MessageKind.STOP, encode(Stop(True, "x"))[1] + b"\xf8\x07\x01") == Stop(True, "x")


WIRE_FAULTS: list[tuple[MessageKind, Any]] = [
    (MessageKind.HELLO, pb.Hello(worker_id="w", group="g", incarnation=1, pid=1)),
    (MessageKind.HELLO, pb.Hello(protocol_versions=[1], group="g", incarnation=1, pid=1)),
    (MessageKind.HELLO, pb.Hello(protocol_versions=[1], worker_id="w", group="g", pid=1)),
    (MessageKind.BOOTSTRAP_BUNDLE, pb.BootstrapBundle()),
    (MessageKind.READY, pb.Ready(partial_outputs=[""])),
    (MessageKind.PROGRESS, pb.Progress(state="x" * 5000)),
    (MessageKind.DRAINED, pb.Drained()),
    (MessageKind.DRAINED, pb.Drained(outcome=77)),  # type: ignore[arg-type]
    (MessageKind.DRAINED, pb.Drained(outcome=pb.DRAIN_OUTCOME_COMPLETE, counters={"": 1})),
    (MessageKind.FAILED, pb.Failed()),
]


@pytest.mark.parametrize(("kind", "wire"), WIRE_FAULTS)
def test_a_field_out_of_range_is_refused_from_the_wire(kind: MessageKind, wire: Any) -> None:
    """What no constructor takes, no decoder gives."""
    with pytest.raises(MessageRefusedError) as caught:
        decode(kind, wire.SerializeToString())
    assert caught.value.code is RefusalCode.BAD_FIELD


def test_an_empty_key_is_refused_from_the_wire() -> None:
    """A key of no bytes would sign for everyone."""
    good = encode(BootstrapBundle("r", "s", "g", 0, 1, (), b"", "127.0.0.1", 1, 1.0))[1]
    with pytest.raises(MessageRefusedError) as caught:
        decode(
            MessageKind.BOOTSTRAP_BUNDLE,
            good + pb.BootstrapBundle(keys={"data": b""}).SerializeToString(),
        )
    assert caught.value.code is RefusalCode.BAD_FIELD


@pytest.mark.parametrize(
    "make",
    [
        lambda: Hello((), "w", "g", 0, 1, 1),
        lambda: Hello((1,), "", "g", 0, 1, 1),
        lambda: Hello((1,), "w", "g", -1, 1, 1),
        lambda: Hello((1,), "w", "g", 0, 0, 1),
        lambda: Hello((1,), "w" * 257, "g", 0, 1, 1),
        lambda: Hello((1,), "\ud800", "g", 0, 1, 1),
        lambda: Progress(records_in=2**64),
        lambda: Progress(records_in=True),
        lambda: Progress(waiting=-1),
        lambda: Progress(metering=Progress()),  # type: ignore[arg-type]
        lambda: Progress(source_records=-1),
        lambda: Metering(busy_seconds=-0.1),
        lambda: Metering(idle_seconds=float("nan")),
        lambda: Metering(cpu_seconds=float("inf")),
        lambda: Metering(latency_seconds=True),
        lambda: Metering(batch_counts=[1]),  # type: ignore[arg-type]
        lambda: Metering(batch_counts=(-1,)),
        lambda: Metering(latency_counts=(0,) * 65),
        lambda: Metering(credit=-1),
        lambda: SpanCounts(created=-1),
        lambda: SpanCounts(exporters=("jsonl",)),  # type: ignore[arg-type]
        lambda: SpanCounts(exporters=[ExporterCounts("jsonl")]),  # type: ignore[arg-type]
        lambda: SpanCounts(final=1),  # type: ignore[arg-type]
        lambda: ExporterCounts(""),
        lambda: ExporterCounts("jsonl", dropped={"ENOSPC": -1}),
        lambda: ExporterCounts("jsonl", dropped={"": 1}),
        lambda: Progress(records_in=1.0),  # type: ignore[arg-type]
        lambda: Ready(("",)),
        lambda: Ready(["a"]),  # type: ignore[arg-type]
        lambda: Stop(1),  # type: ignore[arg-type]
        lambda: Stop(True, "\udcff"),
        lambda: Heartbeat(Stop(True)),  # type: ignore[arg-type]
        lambda: Drained(1),  # type: ignore[arg-type]
        lambda: Drained(DrainOutcome.COMPLETE, counters={"a": 2**63}),
        lambda: Failed(""),
        lambda: WorkerIdentity("w", "g", 0, 0),
        lambda: BootstrapBundle("r", "s", "g", 0, 1, (), b"", "127.0.0.1", 0, 1.0),
        lambda: BootstrapBundle("r", "s", "g", 0, 1, (), b"", "127.0.0.1", 1, float("nan")),
        lambda: BootstrapBundle("r", "s", "g", 0, 1, (), b"", "127.0.0.1", 1, 10**400),
        lambda: BootstrapBundle("r", "s", "g", 0, 1, (), "{}", "127.0.0.1", 1, 1.0),  # type: ignore[arg-type]
        lambda: BootstrapBundle("r", "s", "g", 0, 1, (), b"", "::1", 1, 1.0, {}),  # type: ignore[arg-type]
        lambda: BootstrapKeyBundle({"data": b"key"}),  # type: ignore[dict-item]
    ],
)
def test_a_message_that_the_wire_cannot_carry_cannot_be_built(make: Any) -> None:
    """The constructor refuses it, with message, field and expectation."""
    with pytest.raises(InvalidFieldError) as caught:
        make()
    assert caught.value.message
    assert caught.value.field
    assert caught.value.expected
    assert isinstance(caught.value, ControlError)


def test_what_is_no_message_is_not_encoded() -> None:
    """Passing anything else is a TypeError, as for any typed function."""
    with pytest.raises(TypeError):
        encode("stop")  # type: ignore[arg-type]


@given(st.text(max_size=9000))
def test_a_failure_report_always_gets_through(text: str) -> None:
    """A long text, or one that is no UTF-8, is cut or replaced; the report is made and decodes."""
    failed = Failed("node_failed", "n", "ValueError", text)
    assert decode(*encode(failed)) == failed


def test_values_are_equal_by_their_type_and_fields() -> None:
    assert Stop(drain=True) == Stop(drain=True, reason="")
    assert hash(Stop(drain=True)) == hash(Stop(drain=True, reason=""))
    assert Stop(drain=True) != Stop(drain=False)
    assert StartWork() != StopAck()
    assert repr(Stop(drain=True, reason="it is late")) == "Stop(drain=True, reason='it is late')"


def test_no_repr_shows_a_key_or_the_application() -> None:
    """A bundle in a log line names its keys and shows none; settings stay out too."""
    keys = BootstrapKeyBundle({"data": Secret(b"super-secret-key-of-32-bytes....")})
    bundle = BootstrapBundle("r", "s", "g", 0, 1, (), b"app-secret", "127.0.0.1", 1, 1.0, keys=keys)
    for shown in (repr(bundle), str(bundle), f"{bundle}", repr(keys), str(keys), f"{keys}"):
        assert "secret" not in shown
        assert "data" in shown


def test_a_key_bundle_is_never_pickled() -> None:
    """Neither is a bundle that holds one."""
    keys = BootstrapKeyBundle({"data": Secret(b"k" * 32)})
    for value in (keys, BootstrapBundle("r", "s", "g", 0, 1, (), b"", "h", 1, 1.0, keys)):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(value)


@pytest.mark.parametrize(
    ("ours", "wire", "prefix"),
    [
        (MessageKind, pb.MessageKind, "MESSAGE_KIND_"),
        (Direction, pb.Direction, "DIRECTION_"),
        (DrainOutcome, pb.DrainOutcome, "DRAIN_OUTCOME_"),
    ],
)
def test_python_enums_are_those_of_the_proto(ours: Any, wire: Any, prefix: str) -> None:
    """Names and numbers agree, and zero means nothing in all of them."""
    numbers = {name.removeprefix(prefix): number for name, number in wire.items()}
    assert numbers.pop("UNSPECIFIED") == 0
    assert numbers == {member.name: member.value for member in ours}


@pytest.mark.parametrize("message_type", get_args(ControlMessage))
def test_python_fields_are_those_of_the_proto(message_type: Any) -> None:
    """A field that is added on one side only is found here."""
    wire_fields = [
        field.name for field in pb.DESCRIPTOR.message_types_by_name[message_type.__name__].fields
    ]
    assert [field.name for field in fields(message_type)] == wire_fields


@pytest.mark.parametrize("position", ["n" * 5000, "m\udcff.py, line 3"])
def test_a_position_that_cannot_be_sent_is_cut_and_not_refused(position: str) -> None:
    said = Progress(position=position)
    sent = position[:4096].replace("\udcff", "?")
    assert decode(*encode(said)) == said == Progress(position=sent)
