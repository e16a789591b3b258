"""The graph: faults of every kind at once, and where payloads go."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import Fault, NodeOutputError, PreflightError, UnknownTargetError
from sk_kernel.runtime import SINK, SOURCE, ApplicationContext
from sk_kernel.testing import run_application


def faults_of(spec: Any) -> list[tuple[str, str]]:
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec)
    return [(fault.path, fault.category) for fault in caught.value.faults]


def test_faults_of_every_kind_come_at_once(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield A(1)
        @sink()
        def out(d: D) -> None: ...
        @node
        def wasted(a: A) -> bytes: ...
        @node
        def lonely(c: C) -> None: ...
        @node
        def self_fed(b: B | A) -> B: ...
        @node
        def ping(x: str) -> int: ...
        @node
        def pong(x: int) -> str: ...
        @node
        def box(a: A) -> dict[str, int]: ...
        @node
        def unbox(x: dict[str, str]) -> None: ...
        @node(name="sink:sink")
        def impostor(a: A) -> None: ...
        """
    )
    assert faults_of(spec_of(module)) == [
        ("lonely", "unreached"),
        ("ping", "circular"),
        ("self_fed", "circular"),
        ("sink:sink", "reserved"),
        ("sink:sink", "unreached"),
        ("unbox", "ambiguous"),
        ("wasted", "unconsumed"),
    ]


def test_what_modules_only_import_is_named_where_something_is_missing(
    declare: Any, spec_of: Any
) -> None:
    nodes = declare("@source()\ndef numbers() -> Iterator[A]:\n    yield A(1)")
    module = declare("@sink()\ndef out(a: A) -> None: ...", numbers=nodes.numbers)
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec_of(module))
    where = f"{nodes.__name__}, which is not below any of [{module.__name__}]"
    assert str(caught.value).splitlines() == [
        "adapters.source.name: unknown_adapter: expected one of requests; got numbers",
        "runtime.discovery_modules: elsewhere:"
        f" numbers is defined in {where}: add {nodes.__name__}",
    ]


def test_a_fault_says_what_was_expected_and_what_was_found(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield A(1)
        @sink()
        def out(b: B) -> None: ...
        def forgotten(a: A) -> B: ...
        """
    )
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec_of(module))
    assert str(caught.value).splitlines() == [
        "runtime.discovery_modules: no_nodes:"
        f" no nodes found in module {module.__name__}: is a @node missing?",
        "sink:sink: unreached: expected a source or node that emits B; got none",
        "source:source: unconsumed: expected a node or sink that consumes A; got none",
    ]
    assert str(Fault("adapters.sink", "adapter", "", "it is shut")) == (
        "adapters.sink: adapter: it is shut"
    )


def test_a_circle_is_shown_in_the_direction_of_the_flow(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield A(1)
        @sink()
        def out(a: A) -> None: ...
        @node
        def one(a: A) -> B: ...
        @node
        def two(b: B) -> C: ...
        @node
        def three(c: C) -> A: ...
        """
    )
    with pytest.raises(
        PreflightError, match=r"needs another class .*got one -> two -> three -> one$"
    ):
        ApplicationContext(spec_of(module))


NEAREST = """
class Base(msgspec.Struct, frozen=True):
    n: int
class Derived(Base, frozen=True): ...
class Further(Derived, frozen=True): ...
@node
def on_base(b: Base) -> D:
    return D(f"base {b.n}")
@node
def on_derived(d: Derived) -> D:
    return D(f"derived {d.n}")
"""


def test_a_payload_goes_to_the_consumers_of_its_nearest_base_alone(declare: Any) -> None:
    module = declare(NEAREST)
    given = [module.Base(1), module.Derived(2), module.Further(3)]
    got = run_application([module.__name__], given)
    assert [d.text for d in got] == ["base 1", "derived 2", "derived 3"]


def test_an_undeclared_subclass_is_refused_with_record_and_declaration(declare: Any) -> None:
    module = declare(
        NEAREST.replace("@node\ndef on_derived", "def undeclared")
        + "@node\ndef make(a: A) -> Base:\n    return Derived(a.n) if a.n == 3 else Base(1)"
    )
    given = [module.A(n) for n in (1, 2, 3, 4)]
    with pytest.raises(NodeOutputError) as caught:
        run_application([module.__name__], given)
    error = caught.value
    assert (error.node, error.got, error.declared, error.sequence) == (
        "make", "Derived", "Base", 3,
    )  # fmt: skip


def test_every_consumer_of_a_type_gets_it_in_declared_order_before_the_next_record(
    declare: Any,
) -> None:
    module = declare(
        """
        @node
        def late(a: A) -> B: return B(a.n)
        @node
        def after(b: B) -> D: return D(f"after {b.n}")
        @node
        def short(a: A) -> D: return D(f"short {a.n}")
        """
    )
    got = run_application([module.__name__], [module.A(1), module.A(2)])
    assert [d.text for d in got] == ["after 1", "short 1", "after 2", "short 2"]


TARGETS = """
@node
def pick(a: A) -> Envelope[B]:
    return Envelope(B(a.n), target=["left", "right", None, "nobody"][a.n])
@node
def left(b: B) -> D: return D(f"left {b.n}")
@node
def right(b: B) -> D: return D(f"right {b.n}")
"""


def test_an_explicit_target_gets_a_payload_alone(declare: Any) -> None:
    module = declare(TARGETS)
    got = run_application([module.__name__], [module.A(n) for n in (1, 0, 2)])
    assert [d.text for d in got] == ["right 1", "left 0", "left 2", "right 2"]


def test_a_target_that_does_not_consume_the_payload_is_refused_with_its_record(
    declare: Any,
) -> None:
    module = declare(TARGETS)
    with pytest.raises(UnknownTargetError) as caught:
        run_application([module.__name__], [module.A(n) for n in (1, 3)])
    assert (caught.value.node, caught.value.target, caught.value.sequence) == ("pick", "nobody", 2)


def test_a_coroutine_that_nobody_has_awaited_comes_with_what_to_do(declare: Any) -> None:
    module = declare(
        """
        async def asked(a): return B(1)
        @node
        def f(a: A) -> B:
            left = asked(a)
            try: return left
            finally: left.close()
        @node
        def g(b: B) -> D: return D("x")
        """
    )
    with pytest.raises(NodeOutputError, match=r"declares B \(an await is missing, or"):
        run_application([module.__name__], [module.A(1)])


@pytest.mark.parametrize(
    ("returns", "value", "got"),
    [
        ("B", "None", "NoneType"),
        ("B", "C(1)", "C"),
        ("B", "Envelope(B(1))", "Envelope[B]"),
        ("Envelope[B]", "Envelope(C(1))", "Envelope[C]"),
        ("None", "B(1)", "B"),
        ("list[B]", "B(1)", "B"),
        ("list[B]", "'text'", "str"),
        ("list[B]", "[B(1), C(2)]", "C"),
        ("list[B]", "None", "NoneType"),
    ],
)
def test_what_is_not_declared_is_refused_and_named(
    declare: Any, returns: str, value: str, got: str
) -> None:
    module = declare(
        f"@node\ndef f(a: A) -> {returns}: return {value}\n"
        "@node\ndef g(a: A | B) -> D: return D('x')"
    )
    with pytest.raises(NodeOutputError) as caught:
        run_application([module.__name__], [module.A(1)])
    assert (caught.value.node, caught.value.got, caught.value.sequence) == ("f", got, 1)


def test_whoever_returns_none_unasked_is_told_how_to_say_so(declare: Any) -> None:
    module = declare("@node\ndef f(a: A) -> B: return None\n@node\ndef g(b: B) -> D: ...")
    with pytest.raises(NodeOutputError, match=r"write B \| None to leave a record out"):
        run_application([module.__name__], [module.A(1)])


def test_a_source_may_give_none_where_it_says_so_and_its_place_is_counted(
    declare: Any, spec_of: Any
) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A | None]:
            yield from (A(1), None, A(3))
        @node
        def f(a: A, ctx: Context) -> D: return D(f"{a.n} {ctx.sequence}")
        @sink()
        def out(d: D) -> None: ...
        """
    )
    got = run_application(spec_of(module), [module.A(1), None, module.A(3)])
    assert [d.text for d in got] == ["1 1", "3 3"]


def test_the_order_is_by_distance_from_the_source_then_as_declared(
    declare: Any, spec_of: Any
) -> None:
    module = declare(
        """
        @source()
        def numbers() -> Iterator[A]:
            yield A(1)
        @node
        def last(c: C) -> D: ...
        @node
        def second(b: B | A) -> C: ...
        @node
        def first(a: A) -> B: ...
        @sink()
        def out(d: D) -> None: ...
        """
    )
    graph = ApplicationContext(spec_of(module)).graph
    assert graph.order == (SOURCE, "first", "second", "last", SINK)
