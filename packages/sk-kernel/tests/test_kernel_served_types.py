"""Types of payload that nobody but a caller gives a node: they are held to what a stream's are."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
from kernel_requests import spec
from sk_kernel import (
    AdapterSettings,
    DeadLetter,
    FailureSpec,
    NodeFailure,
    PreflightError,
)
from sk_kernel.runtime import SOURCE, ApplicationContext, Graph, payload_of, wire_faults

Declare = Callable[..., ModuleType]

TEXT = """
class Question(msgspec.Struct):
    words: list
class Found(msgspec.Struct):
    rows: list[int]
class Reply(msgspec.Struct):
    named: dict
@source()
def questions() -> Iterator[Question]:
    yield Question([])
@sink()
def out(r: Reply) -> None: ...
@node
def look(q: Question) -> Found: ...
@node
def tell(f: Found) -> Reply: ...
"""


def faulty(graph: Graph) -> list[tuple[str, str]]:
    """Of a graph of which nothing goes between groups."""
    return [(fault.path, fault.category) for fault in wire_faults(graph, ())]


def test_what_only_callers_give_and_get_has_to_be_wholly_typed(declare: Declare) -> None:
    graph = ApplicationContext(spec(declare(TEXT))).graph
    assert faulty(graph) == [("look", "not_portable"), ("tell", "not_portable")]


@pytest.mark.parametrize(("sink", "found"), [("out", []), ("replies", [("tell", "not_portable")])])
def test_beside_a_stream_only_a_sink_of_replies_says_that_there_are_callers(
    declare: Declare, sink: str, found: list[tuple[str, str]]
) -> None:
    adapters = {"source": AdapterSettings("questions"), "sink": AdapterSettings(sink)}
    graph = ApplicationContext(spec(declare(TEXT), **adapters)).graph
    assert faulty(graph) == found


def test_a_dead_letter_of_a_request_needs_a_payload_with_bytes(declare: Declare) -> None:
    module = declare(TEXT)
    failure = FailureSpec(nodes={"look": NodeFailure("dead_letter")}, dead_letters="dead.jsonl")
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec(module, failure=failure))
    assert [(fault.path, fault.category) for fault in caught.value.faults] == [
        ("look", "not_portable")
    ]


def test_a_letter_of_a_request_comes_back_to_its_node_as_from_the_source(declare: Declare) -> None:
    module = declare(TEXT)
    graph = ApplicationContext(spec(module)).graph
    letter = DeadLetter(
        sequence=-1,
        node="look",
        cause="KeyError",
        attempts=1,
        trace_id="t",
        run_id="r",
        key=(-1,),
        type=f"{module.__name__}.Question",
        payload=b"\x81\xa5words\x91\x07",
    )
    edge, payload = payload_of(graph, letter)
    assert (edge.producer, edge.consumer, payload) == (SOURCE, "look", module.Question([7]))
