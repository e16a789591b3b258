"""The test kit: one node alone, and whole applications on lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sk_kernel import (
    AdapterSettings,
    ApplicationSpec,
    Context,
    DefinitionError,
    Envelope,
    FailureSpec,
    LifecycleCallError,
    NodeFailedError,
    NodeFailure,
    NodeOutputError,
    PreflightError,
    ResolutionError,
)
from sk_kernel.testing import (
    CollectSink,
    GivenUp,
    ListSource,
    run_application,
    run_node,
    run_placed,
)

NODES = """
class Model(msgspec.Struct):
    add: int
@state(key=None)
class Seen:
    def __init__(self): self.log = []
@service()
class Clock:
    now = 1
class Fake(Clock):
    now = 9
@node
class F:
    def __init__(self, settings: Model, seen: Seen, clock: Clock, more: B | None):
        self.add, self.log, self.clock = settings.add, seen.log, clock
    def __call__(self, a: A, ctx: Context) -> list[B] | None:
        if a.n == 0: return None
        self.log.append(a.n)
        return [B(a.n + self.add), B(ctx.sequence), B(self.clock.now)]
    def finish(self) -> Envelope[D]: return Envelope(D(f"{self.log}"), reply_to="x")
@node
def g(a: A) -> B | Envelope[B] | None:
    assert a.n != 4
    return {1: B(1), 2: Envelope(B(2)), 3: C(3)}.get(a.n)
@state(key=None)
class Torn: ...
@node
def h(b: B, torn: Torn) -> C: return C(b.n)
@node
def i(c: C, torn: Torn) -> None: ...
"""

SERVED = """
CLOSED = []
class Port: ...
@service
class Clock:
    now = 1
    async def close(self): CLOSED.append("clock")
@service
class Client:
    def __init__(self, clock: Clock): self.clock = clock
    def close(self): CLOSED.append("client")
@node
def asks(a: A, client: Client) -> B: return B(client.clock.now)
@node
def dials(a: A, port: Port) -> B: return B(1)
"""

#: Both ends are declared, and a node takes what the sink takes, too.
TEE = """
@node
def up(a: A) -> B: return B(a.n)
@node
def note(b: B) -> D: return D(str(b.n))
@sink
def out(given: B | D) -> None: ...
"""


FOREIGN = """
class Number(float):
    def tolist(self): return float(self)
class Score(msgspec.Struct):
    score: float
class Loose(msgspec.Struct):
    score: typing.Any
@node
def score(a: A) -> {returned}: return {output}
"""


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        ("Score", "Score(Number(1))"),
        ("list[Score]", "[Score(1.0), Score(Number(1))]"),
        ("Envelope[Score]", "Envelope(Score(Number(1)))"),
    ],
)
def test_what_could_not_go_to_another_process_is_refused_with_the_cure(
    declare: Any, returned: str, output: str
) -> None:
    m = declare(FOREIGN.format(returned=returned, output=output))
    with pytest.raises(NodeOutputError, match=r"score: Number .* its \.tolist\(\)") as caught:
        run_node(m.score, m.A(1))
    assert caught.value.node == "score"


def test_what_is_no_payload_for_other_processes_is_left_alone(declare: Any) -> None:
    m = declare(FOREIGN.format(returned="Loose", output="Loose(Number(1))"))
    (given,) = run_node(m.score, m.A(1))
    assert type(given.score) is m.Number


def test_a_node_is_called_with_settings_states_services_and_context(declare: Any) -> None:
    m = declare(NODES)
    seen = m.Seen()
    context = Context("r", "s", "g", "", 41, "ab" * 16)
    got = run_node(
        m.F, m.A(5), m.A(0), m.A(6),
        settings={"add": 1}, states=[seen], services=[m.Fake()], context=context, finish=True,
    )  # fmt: skip
    numbers = [6, 41, 9, 7, 43, 9]
    assert got == [*map(m.B, numbers), Envelope(m.D("[5, 6]"), reply_to="x")]
    assert seen.log == [5, 6]


def test_settings_may_be_an_instance_and_states_are_made_where_none_is_given(declare: Any) -> None:
    m = declare(NODES)
    got = run_node(m.F, m.A(5), settings=m.Model(2), services=[m.Clock()])
    assert got == [m.B(7), m.B(1), m.B(1)]


def test_nones_are_dropped_and_envelopes_kept(declare: Any) -> None:
    m = declare(NODES)
    assert run_node(m.g, m.A(1), m.A(0), m.A(2)) == [m.B(1), Envelope(m.B(2))]


def test_a_node_alone_is_held_to_what_a_run_holds_it_to(declare: Any) -> None:
    m = declare(NODES + SERVED.replace("class Clock", "class Watch").replace(": Clock", ": Watch"))
    with pytest.raises(NodeOutputError, match="'g' returned C on record 2, but declares"):
        run_node(m.g, m.A(1), m.A(3))
    with pytest.raises(NodeFailedError, match="node 'g' raised AssertionError on record 2"):
        run_node(m.g, m.A(1), m.A(4))
    with pytest.raises(PreflightError, match=r"nodes\.f\.add: missing"):
        run_node(m.F, settings={})
    with pytest.raises(ResolutionError, match=r"dials asks for Port: .*services="):
        run_node(m.dials, m.A(1))
    with pytest.raises(DefinitionError, match="has no @node"):
        run_node(len)


def test_an_application_is_held_to_its_placement(declare: Any) -> None:
    m = declare(NODES)
    settings = {"f": {"add": 1}}
    with pytest.raises(PreflightError, match="torn_state"):
        run_placed([m.__name__], [m.A(1)], {"h": "x"}, nodes=settings)


def test_a_placement_names_what_there_is(declare: Any) -> None:
    """Else a slip of the pen would place nothing, and a test of it prove nothing."""
    m = declare(NODES)
    settings = {"f": {"add": 1}}
    with pytest.raises(PreflightError) as caught:
        run_placed([m.__name__], [m.A(1)], {"F": "x"}, nodes=settings)
    found = [(fault.path, fault.category) for fault in caught.value.faults]
    assert found == [("placement.F", "unknown_node")]


def test_a_payload_that_cannot_travel_is_a_fault_of_a_placement_only(declare: Any) -> None:
    m = declare(
        """
        class Opaque:
            n = 1
        @node
        def make(a: A) -> Opaque: return Opaque()
        @node
        def use(o: Opaque) -> D: return D(str(o.n))
        """
    )
    assert run_application([m.__name__], [m.A(1)]) == [m.D("1")]
    assert run_placed([m.__name__], [m.A(1)], {"make": "x", "use": "x"}) == [m.D("1")]
    with pytest.raises(PreflightError, match="make: not_portable"):
        run_placed([m.__name__], [m.A(1)], {"make": "x"})


def test_declared_adapters_are_replaced_and_their_types_stay(declare: Any, spec_of: Any) -> None:
    m = declare(
        """
        @source()
        def numbers() -> Iterator[A | B]:
            raise OSError("not to be read in a test")
            yield
        @node
        def f(a: A | B) -> C | D: return D(str(a.n))
        @sink()
        def out(d: D | C) -> None: raise OSError("not to be written in a test")
        """
    )
    assert run_application(spec_of(m), []) == []
    assert run_application(spec_of(m), [m.A(1), m.B(2)], batch_records=1) == [m.D("1"), m.D("2")]


def test_a_sink_that_is_declared_alone_takes_what_it_takes_in_a_run(declare: Any) -> None:
    m = declare(TEE)
    expected = [m.D("1"), m.B(1)]
    assert run_application(m.__name__, [m.A(1)]) == expected
    assert run_placed(m.__name__, [m.A(1)], {"note": "x"}) == expected


def test_a_source_that_is_declared_alone_gives_what_it_gives_in_a_run(declare: Any) -> None:
    m = declare(TEE + "@source()\ndef numbers() -> Iterator[A]: yield A(1)")
    with pytest.raises(NodeOutputError, match="'source:source' returned C on record 1"):
        run_application(m.__name__, [m.C(1)])


@pytest.mark.parametrize("role", ["source", "sink"])
def test_of_several_that_differ_one_is_to_be_named(declare: Any, role: str) -> None:
    other = {
        "source": "@source()\ndef some() -> Iterator[A]: yield A(1)\n"
        "@source()\ndef more() -> Iterator[A | C]: yield A(1)",
        "sink": "@sink\ndef more(d: D) -> None: ...",
    }
    m = declare(TEE + other[role])
    with pytest.raises(PreflightError, match=f"{role}=AdapterSettings") as caught:
        run_application(m.__name__, [m.A(1)])
    found = [(fault.path, fault.category) for fault in caught.value.faults]
    assert found == [(f"adapters.{role}", "missing")]
    choice = {role: AdapterSettings("some" if role == "source" else "out")}
    spec = ApplicationSpec(scenario="t", discovery_modules=[m.__name__], **choice)
    assert run_application(spec, [m.A(1)]) == [m.D("1"), m.B(1)]


def test_several_of_the_same_types_are_as_good_as_one(declare: Any) -> None:
    m = declare(TEE + "@sink\ndef other(given: D | B) -> None: ...")
    assert run_application(m.__name__, [m.A(1)]) == [m.D("1"), m.B(1)]


def test_a_name_that_no_sink_has_is_a_fault(declare: Any) -> None:
    m = declare(TEE)
    sink = AdapterSettings("ouut")
    spec = ApplicationSpec(scenario="t", discovery_modules=[m.__name__], sink=sink)
    with pytest.raises(PreflightError, match=r"adapters\.sink\.name: unknown_adapter"):
        run_application(spec, [m.A(1)])


def test_services_that_a_node_needs_are_made_and_closed_as_in_a_run(declare: Any) -> None:
    m = declare(SERVED)
    assert run_node(m.asks, m.A(5)) == [m.B(1)]
    assert m.CLOSED == ["client", "clock"]


def test_a_service_that_the_test_has_given_is_the_tests_to_close(declare: Any) -> None:
    m = declare(SERVED)
    assert run_node(m.asks, m.A(5), services=[m.Client(m.Clock())]) == [m.B(1)]
    assert m.CLOSED == []


def test_an_application_runs_on_no_payloads_too_and_its_ends_are_called(declare: Any) -> None:
    m = declare(
        """
        @node
        def count(a: A) -> B: return B(a.n)
        @node
        class Last:
            def __call__(self, b: B) -> None: ...
            def finish(self) -> D: return D("over")
        """
    )
    assert run_application([m.__name__], []) == [m.D("over")]
    assert run_application(m.__name__, [m.A(1)]) == [m.D("over")]
    assert run_placed([m.__name__], [], {"count": "x"}) == [m.D("over")]


def test_the_list_adapters_behave_as_the_protocols_say() -> None:
    source = ListSource(range(10))
    assert [list(source.read(4, 100)) for _ in range(3)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert list(source.read(4, 100)) == []
    source = ListSource(range(10))
    source.interrupt()
    assert list(source.read(4, 100)) == []
    sink = CollectSink()
    sink.write([1, 2])
    assert (sink.outcome, sink.summary()) == ("open", {"received": 2})
    sink.abort()
    assert (sink.received, sink.outcome) == ([1, 2], "aborted")


def placed(application: Any, payloads: list[Any], **named: Any) -> list[Any]:
    """As run_application, with a group for each of the nodes."""
    return run_placed(application, payloads, {"asks": "one", "dials": "two"}, **named)


@pytest.mark.parametrize("run", [run_application, placed])
def test_a_graph_gets_the_services_that_are_given_by_the_classes_that_they_are_of(
    declare: Any, run: Any
) -> None:
    m = declare(SERVED)

    class Dialled(m.Port):
        pass

    class Late(m.Clock):
        now = 9

    assert run([m.__name__], [m.A(5)], services=[Late(), Dialled()]) == [m.B(9), m.B(1)]
    assert m.CLOSED == ["client"]


@pytest.mark.parametrize("run", [run_application, placed])
def test_a_graph_gets_no_service_that_is_neither_given_nor_declared(declare: Any, run: Any) -> None:
    m = declare(SERVED)
    with pytest.raises(PreflightError, match="@service for Port") as caught:
        run([m.__name__], [m.A(5)], services=[m.Clock()])
    assert [fault.path for fault in caught.value.faults] == ["dials"]


GIVING_UP = """
@node
def asks(a: A) -> B:
    if a.n is None or a.n % 2: raise ValueError(a)
    return B(a.n)
@node
def dials(b: B) -> C:
    if b.n == 4: raise KeyError
    return C(b.n)
"""


@pytest.mark.parametrize("run", [run_application, placed])
def test_what_is_given_up_comes_as_values_and_no_file_is_written(
    declare: Any, tmp_path: Any, run: Any
) -> None:
    m = declare(GIVING_UP)
    nodes = {"asks": NodeFailure("dead_letter"), "dials": NodeFailure("dead_letter")}
    payloads = [m.A(n) for n in range(1, 7)]
    for path in (None, str(tmp_path / "dead.jsonl")):
        spec = ApplicationSpec(
            scenario="s",
            discovery_modules=[m.__name__],
            failure=FailureSpec(nodes=nodes, dead_letters=path),
        )
        given_up: list[GivenUp] = []
        assert run(spec, payloads, given_up=given_up) == [m.C(2), m.C(6)]
        assert given_up == [
            GivenUp("asks", m.A(1), "ValueError", 1),
            GivenUp("asks", m.A(3), "ValueError", 3),
            GivenUp("dials", m.B(4), "KeyError", 4),
            GivenUp("asks", m.A(5), "ValueError", 5),
        ]
    assert not list(tmp_path.iterdir())


def test_a_payload_that_is_given_up_is_the_one_that_the_node_was_given(declare: Any) -> None:
    """Not what would be read of its letter: this one has no such type."""
    m = declare(GIVING_UP)
    spec = ApplicationSpec(
        scenario="s",
        discovery_modules=[m.__name__],
        failure=FailureSpec(nodes={"asks": NodeFailure("dead_letter")}),
    )
    given_up: list[GivenUp] = []
    run_application(spec, [wrong := m.A(None)], given_up=given_up)
    (one,) = given_up
    assert one.payload is wrong


def test_where_nothing_is_written_down_nothing_is_given_up(declare: Any) -> None:
    m = declare(GIVING_UP)
    given_up: list[GivenUp] = []
    assert run_application([m.__name__], [m.A(2)], given_up=given_up) == [m.C(2)]
    assert given_up == []


@pytest.mark.parametrize("run", [run_application, placed])
@pytest.mark.parametrize("application", [(("version", 1),), {"version": 1}, 3])
def test_what_is_no_application_is_refused_with_the_way_from_a_configuration(
    run: Any, application: Any
) -> None:
    with pytest.raises(
        PreflightError, match=r"sk_supervisor\.application_spec\(config\)"
    ) as caught:
        run(application, [])
    (fault,) = caught.value.faults
    assert (fault.path, fault.category, fault.got) == (
        "application",
        "wrong_type",
        type(application).__name__,
    )


PLAIN = "@node\n{0}def f(a: A) -> B: return B(a.n)"

#: What runs a node of the module, by the test kit's names.
RUNS: dict[str, Callable[[Any], list[Any]]] = {
    "run_node": lambda m: run_node(m.f, m.A(1)),
    "run_application": lambda m: run_application([m.__name__], [m.A(1)]),
    "run_placed": lambda m: run_placed([m.__name__], [m.A(1)], {"f": "other"}),
}


@pytest.mark.parametrize("runs", RUNS)
def test_where_an_event_loop_is_running_plain_nodes_run_beside_it(declare: Any, runs: str) -> None:
    m = declare(PLAIN.format(""))

    async def in_a_notebook() -> list[Any]:
        return RUNS[runs](m)

    assert asyncio.run(in_a_notebook()) == [m.B(1)]


@pytest.mark.parametrize("runs", RUNS)
def test_where_an_event_loop_is_running_coroutine_nodes_are_for_another_thread(
    declare: Any, runs: str
) -> None:
    m = declare(PLAIN.format("async "))

    async def in_a_notebook() -> list[Any]:
        with pytest.raises(LifecycleCallError, match=r"by await asyncio\.to_thread"):
            RUNS[runs](m)
        return await asyncio.to_thread(RUNS[runs], m)

    assert asyncio.run(in_a_notebook()) == [m.B(1)]


@pytest.mark.parametrize("runs", ["run_node", "run_application"])
def test_where_an_event_loop_is_running_services_are_closed_as_elsewhere(
    declare: Any, runs: str
) -> None:
    m = declare(SERVED.replace("def asks(", "def f("))

    async def in_a_notebook() -> list[Any]:
        if runs == "run_node":
            return run_node(m.f, m.A(1))
        return run_application([m.__name__], [m.A(1)], services=[m.Port()])

    assert m.B(1) in asyncio.run(in_a_notebook())
    assert m.CLOSED == ["client", "clock"]
