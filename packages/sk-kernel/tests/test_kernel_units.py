"""State units at work: compiled chains, finish in its place, and blame for what nodes raise."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import NodeFailedError, NodeOutputError
from sk_kernel.runtime import Batch, Identity, SegmentRunner, TraceIds, make_plan
from sk_kernel.testing import run_application, run_placed
from sk_kernel.testing._applications import substituted

COUNT = """
@state(key=None)
class Seen:
    def __init__(self):
        self.log = []

@node
def reads(a: A, seen: Seen) -> B:
    if a.n < 0: raise ZeroDivisionError("secret")
    return B(a.n if a.n != 99 else len(seen.log)) if a.n != 98 else C(1)

@node
def between(b: B) -> C:
    return C([10][b.n - 7] if b.n == 50 else b.n)

@node
def writes(c: C, seen: Seen) -> D:
    shown = f"{c.n}:{len(seen.log)}"
    if c.n == 51: raise ValueError("secret")
    seen.log.append(c.n)
    return D(shown)
"""


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
def test_a_chain_passes_each_record_whole_whatever_the_batch(declare: Any, batch: int) -> None:
    module = declare(COUNT)
    given = [module.A(n) for n in (1, 99, 3, 99, 5)]
    got = run_application([module.__name__], given, batch_records=batch)
    assert [d.text for d in got] == ["1:0", "1:1", "3:2", "3:3", "5:4"]


@pytest.mark.parametrize("batch", [1, 2, 7])
@pytest.mark.parametrize(
    ("bad", "node", "cause"),
    [
        (-1, "reads", "ZeroDivisionError"),
        (50, "between", "IndexError"),
        (51, "writes", "ValueError"),
    ],
)
def test_a_failure_in_a_chain_names_node_and_record_and_no_payload(
    declare: Any, batch: int, bad: int, node: str, cause: str
) -> None:
    module = declare(COUNT)
    given = [module.A(n) for n in (1, 2, 3, bad, 5)]
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], given, batch_records=batch)
    error = caught.value
    assert (error.node, error.cause_type, error.sequence) == (node, cause, 4)
    assert type(error.__cause__).__name__ == cause
    assert "secret" not in str(error)


def test_nodes_behind_one_decorator_are_told_apart(declare: Any) -> None:
    module = declare(
        """
        import functools
        def logged(function):
            @functools.wraps(function)
            def wrapper(*arguments, **named): return function(*arguments, **named)
            return wrapper
        """
        + COUNT.replace("@node\n", "@node\n@logged\n").replace("\n", "\n        ")
    )
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(1), module.A(50)])
    assert (caught.value.node, caught.value.sequence) == ("between", 2)


def test_a_wrong_payload_inside_a_chain_is_refused_with_its_record(declare: Any) -> None:
    module = declare(COUNT)
    with pytest.raises(NodeOutputError) as caught:
        run_application([module.__name__], [module.A(1), module.A(98)])
    assert (caught.value.node, caught.value.got, caught.value.sequence) == ("reads", "C", 2)


def test_a_generator_has_read_its_state_before_the_next_record_writes_it(declare: Any) -> None:
    module = declare(
        """
        @state(key=None)
        class Seen:
            def __init__(self):
                self.log = []
        @node
        def writes(a: A, seen: Seen) -> B:
            seen.log.append(a.n)
            return B(a.n)
        @node
        def reads(b: B, seen: Seen) -> Iterator[D]:
            yield D(f"{b.n} of {len(seen.log)}")
        """
    )
    got = run_application([module.__name__], [module.A(n) for n in (1, 2, 3)])
    assert [d.text for d in got] == ["1 of 1", "2 of 2", "3 of 3"]


def test_what_a_generator_raises_is_its_nodes_failure(declare: Any) -> None:
    module = declare("@node\ndef f(a: A) -> Iterator[D]:\n    yield D('x')\n    assert a.n != 2\n")
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(1), module.A(2), module.A(3)])
    assert (caught.value.node, caught.value.sequence) == ("f", 2)


FINISHING = """
@state(key=None)
class Seen:
    def __init__(self):
        self.log = []

@node
class Total:
    def __init__(self): self.total = 0
    def __call__(self, a: A) -> None: self.total += a.n
    def finish(self) -> B: return B(self.total)

@node
class First:
    def __init__(self, seen: Seen): self.log = seen.log
    def __call__(self, b: B) -> C:
        self.log.append(f"first {b.n}")
        return C(b.n)
    def finish(self) -> C: return C(-1)

@node
class Second:
    def __init__(self, seen: Seen): self.log = seen.log
    def __call__(self, c: C) -> None: self.log.append(f"second {c.n}")
    def finish(self) -> Iterator[D]:
        yield from map(D, self.log)
"""


@pytest.mark.parametrize("run", ["memory", "placed"])
def test_finish_comes_behind_all_records_and_all_that_feeds_it_also_in_a_chain(
    declare: Any, run: str
) -> None:
    module = declare(FINISHING)
    given = [module.A(n) for n in (1, 2, 3)]
    if run == "memory":
        got = run_application([module.__name__], given, batch_records=2)
    else:
        got = run_placed([module.__name__], given, {"total": "x"}, batch_records=2)
    assert [d.text for d in got] == ["first 6", "second 6", "second -1"]


def test_what_finish_raises_names_the_node(declare: Any) -> None:
    module = declare(
        "@node\nclass F:\n    def __call__(self, a: A) -> D: return D('x')\n"
        "    def finish(self) -> Iterator[D]:\n        yield D('y')\n        raise OSError()\n"
    )
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(1)])
    assert (caught.value.node, caught.value.cause_type, caught.value.sequence) == (
        "f", "OSError", None,
    )  # fmt: skip


@pytest.mark.parametrize("value", ["'x'", "None"])
def test_what_finish_gives_is_checked_as_any_output(declare: Any, value: str) -> None:
    module = declare(
        "@node\nclass F:\n    def __call__(self, a: A) -> D: return D('x')\n"
        f"    def finish(self) -> D: return {value}\n"
    )
    with pytest.raises(NodeOutputError):
        run_application([module.__name__], [module.A(1)])


def test_what_leaves_a_unit_for_a_group_is_one_section_a_batch(declare: Any) -> None:
    """A unit is walked record by record; what it sends is still one column."""
    module = declare(
        """
        @state(key=None)
        class Seen: ...
        @node
        def fork(a: A, seen: Seen) -> B: return B(a.n)
        @node
        def inside(b: B, seen: Seen) -> None: ...
        @node
        def outside(b: B) -> D: return D(str(b.n))
        """
    )
    given = [module.A(n) for n in range(9)]
    context, _ = substituted([module.__name__], given, {})
    group_of = dict.fromkeys(context.graph.order, "a") | {"outside": "b", "sink:sink": "b"}
    plan = make_plan(context.graph, group_of, context.all_states)
    identity = Identity("r", "s", "a", TraceIds("r"))
    runner = SegmentRunner(context, plan, plan.segments[0], context.container(), identity)
    ((section,),) = runner.read(Batch(1, 1, 9), given).values()
    assert [payload.n for payload in section.items] == list(range(9))
    assert list(section.keys) == [(n,) for n in range(1, 10)]
