"""Several workers of one group: what they cannot share is refused, the rest gives the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from kernel_spans import Collected
from sk_kernel import ApplicationSpec, FailureSpec, MovedKeyError, NodeFailure, PreflightError
from sk_kernel.runtime import KeyOwners
from sk_kernel.testing import GivenUp, WorkersDifferError, run_application, run_placed

COUNTING = """
class E(msgspec.Struct, frozen=True):
    n: int
    k: str

class F(msgspec.Struct, frozen=True):
    n: int
    k: str

@state(key="k")
class Counts:
    def __init__(self): self.seen = {}

@node
def name(a: A) -> E: return E(a.n, f"k{a.n % 7}")
@node
def count(e: E, counts: Counts) -> F:
    counts.seen[e.k] = counts.seen.get(e.k, 0) + 1
    return F(counts.seen[e.k], e.k)
@node
def again(f: F, counts: Counts) -> B | None:
    return None if f.n % 3 == 0 else B(100 * f.n + counts.seen[f.k])
@node
def tell(b: B) -> D: return D(str(b.n))
"""
GROUPS = {"name": "x", "count": "y", "again": "y", "tell": "z"}


@pytest.mark.contract("P5PRE-EXEC-05")
@pytest.mark.parametrize("workers", [1, 2, 3, 4])
@pytest.mark.parametrize("batch", [1, 2, 5, 1000])
def test_keyed_workers_give_what_one_gives_in_the_same_order(
    declare: Any, workers: int, batch: int
) -> None:
    module = declare(COUNTING)
    given = [module.A(n * n) for n in range(100)]
    expected = run_application([module.__name__], given)
    got = run_placed(
        [module.__name__],
        given,
        GROUPS,
        workers={"x": workers, "y": workers, "z": 5 - workers},
        batch_records=batch,
    )
    assert got == expected


BRANCHING = """
@state(key="n")
class Odd:
    def __init__(self): self.seen = set()

@node
def some(a: A) -> list[B | C]:
    return [B(a.n), *[C(i) for i in range(a.n % 4)], B(a.n + 1)]
@node
def fork(b: B) -> D: return D(f"fork {b.n}")
@node
def once(b: B, odd: Odd) -> C | None:
    new = b.n not in odd.seen
    odd.seen.add(b.n)
    return C(b.n) if new else None
@node
def last(c: C) -> list[D]: return [D(f"last {c.n} {i}") for i in range(c.n % 3)]
"""
NODES = ("some", "fork", "once", "last")


@pytest.mark.contract("P5PRE-EXEC-05")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    numbers=st.lists(st.integers(0, 20), min_size=1, max_size=30),
    places=st.lists(st.sampled_from("wxyz"), min_size=4, max_size=4),
    workers=st.lists(st.integers(1, 3), min_size=4, max_size=4),
    batch=st.integers(1, 7),
)
def test_any_placement_over_any_workers_gives_the_order_of_memory(
    declare: Any, numbers: list[int], places: list[str], workers: list[int], batch: int
) -> None:
    module = declare(BRANCHING)
    assume(places[0] != places[2])  # `some` changes the key of the state that `once` has
    given_payloads = [module.A(n) for n in numbers]
    got = run_placed(
        [module.__name__],
        given_payloads,
        dict(zip(NODES, places, strict=True)),
        workers={g: n for g, n in zip("wxyz", workers, strict=True) if g in places},
        batch_records=batch,
    )
    assert got == run_application([module.__name__], given_payloads)


def faults(module: Any, placement: dict[str, str], workers: dict[str, int]) -> dict[str, str]:
    with pytest.raises(PreflightError) as caught:
        run_placed([module.__name__], [module.A(1)], placement, workers=workers)
    return {fault.path: f"{fault.category}: {fault.expected}" for fault in caught.value.faults}


@pytest.mark.contract("P5PRE-EXEC-05")
def test_a_global_state_names_its_node_and_the_fix(declare: Any) -> None:
    module = declare(COUNTING.replace('key="k"', "key=None"))
    found = faults(module, GROUPS, {"y": 2})
    assert set(found) == {"count", "again"}
    assert found["count"].startswith("global_state: workers: 1 for its group y, or a key")
    assert faults(module, GROUPS, {"y": 3}) == found


def test_two_keys_in_one_group_are_refused(declare: Any) -> None:
    module = declare(
        COUNTING
        + """
@state(key="n")
class Other: ...
@node
def beside(b: B, other: Other) -> C: return C(b.n)
@node
def after(c: C) -> D: return D("c")
"""
    )
    placement = {**GROUPS, "beside": "y", "after": "y"}
    found = faults(module, placement, {"y": 2})
    assert found["y"].startswith("several_keys: one key for all states in group y")
    assert "k (count, again)" in found["y"]


def test_a_key_whose_equal_values_have_different_bytes_is_refused(declare: Any) -> None:
    module = declare(COUNTING.replace("    k: str\n\nclass F", "    k: float\n\nclass F"))
    found = faults(module, GROUPS, {"y": 2})
    assert found["count"].startswith("no_key: E from name with an attribute 'k' that is str, bytes")


def test_a_payload_that_enters_the_group_without_the_key_is_refused(declare: Any) -> None:
    found = faults(declare(COUNTING), {**GROUPS, "name": "y"}, {"y": 2})
    assert found["name"].startswith("no_key: A from source:source with an annotated attribute 'k'")


def test_source_sink_and_finish_have_one_worker(declare: Any) -> None:
    module = declare(
        """
        @node
        class Total:
            def __init__(self): self.total = 0
            def __call__(self, a: A) -> None: self.total += a.n
            def finish(self) -> D: return D(str(self.total))
        """
    )
    found = faults(module, {}, {"main": 2})
    assert {path: text.partition(":")[0] for path, text in found.items()} == dict.fromkeys(
        ("source:source", "sink:sink", "total"), "not_shareable"
    )


def test_a_node_that_changes_the_key_on_the_way_to_its_state_is_found_out(declare: Any) -> None:
    module = declare(
        """
class G(msgspec.Struct, frozen=True):
    n: int
    k: str
"""
        + COUNTING.replace('E(a.n, f"k{a.n % 7}")', 'G(a.n, f"k{a.n % 7}")').replace("-> E", "-> G")
        + """
@node
def change(g: G) -> E: return E(g.n, g.k + "x")
"""
    )
    placement = {**GROUPS, "change": "y"}
    given_payloads = [module.A(n) for n in range(50)]
    with pytest.raises(MovedKeyError) as caught:
        run_placed([module.__name__], given_payloads, placement, workers={"y": 3})
    assert (caught.value.node, caught.value.consumer, caught.value.key) == ("change", "count", "k")
    assert caught.value.nodes == ("change",)
    apart = {**placement, "change": "x"}
    got = run_placed([module.__name__], given_payloads, apart, workers={"x": 2, "y": 3})
    assert got == run_application([module.__name__], given_payloads)


#: A line of nodes: what ``change`` changes passes ``keep`` on the way to a state.
CHANGED_BEFORE = """
class E(msgspec.Struct):
    n: int
    k: str
class F(E): ...
class G(E): ...
class H(E): ...

@state(key="k")
class Counts(dict[str, int]): ...
@state(key="k")
class Seen(dict[str, int]): ...

@node
def name(a: A) -> E: return E(a.n, f"k{a.n % 7}")
@node
def early(e: E) -> F: return F(e.n, e.k)
@node
def change(f: F) -> G: return G(f.n, f.k + "x")
@node
def keep(g: G) -> H: return H(g.n, g.k)
@node
def count(h: H, counts: Counts) -> D: return D(h.k)
"""


def test_all_are_named_that_may_have_changed_a_key_since_it_was_found_right(declare: Any) -> None:
    error = moved_key(declare(CHANGED_BEFORE))
    assert (error.nodes, error.node) == (("early", "change", "keep"), "keep")
    assert str(error).startswith("'early' or 'change' or 'keep' changed 'k'")


def test_who_comes_before_a_state_that_a_record_came_to_has_not_changed_its_key(
    declare: Any,
) -> None:
    looked_at = CHANGED_BEFORE.replace("change(f: F)", "change(f: F, seen: Seen)")
    assert moved_key(declare(looked_at)).nodes == ("change", "keep")


def moved_key(module: Any) -> MovedKeyError:
    """How a run ends in which all but ``name`` are of one group."""
    placement = {"name": "x", **dict.fromkeys(("early", "change", "keep", "count"), "y")}
    with pytest.raises(MovedKeyError) as caught:
        run_placed([module.__name__], [module.A(n) for n in range(50)], placement, workers={"y": 3})
    return caught.value


TRANSFER = """
class E(msgspec.Struct, frozen=True):
    n: int
    to: int

@state(key="n")
class Balances(dict): ...

@node
def debit(e: E, balances: Balances) -> A:
    balances[e.n] = balances.get(e.n, 0) - 1
    return A(e.to)
@node
def credit(a: A, balances: Balances) -> D:
    balances[a.n] = balances.get(a.n, 0) + 1
    return D(f"{a.n}: {balances[a.n]}")
"""
BOTH = {"debit": "y", "credit": "y"}


@pytest.mark.contract("P5PRE-EXEC-05")
@pytest.mark.parametrize("policy", ["fail", "skip"])
@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("gives", ["A", "A | None"], ids=["in line", "walked"])
def test_a_node_that_changes_the_key_of_the_state_that_it_shares_is_found_out(
    declare: Any, policy: Any, watched: bool, gives: str
) -> None:
    module = declare(TRANSFER.replace("-> A:", f"-> {gives}:"))
    spec = ApplicationSpec(
        scenario="tests",
        discovery_modules=[module.__name__],
        failure=FailureSpec(NodeFailure(policy)),
    )
    observers = [Collected()] if watched else []
    owners = KeyOwners("n", 2)
    other = next(n for n in range(99) if owners.of_one(module.A(n)) != owners.of_one(module.A(0)))
    kept, moved = [module.E(n, n) for n in range(9)], module.E(0, other)
    got = run_placed(spec, kept, BOTH, workers={"y": 2}, observers=observers)
    assert got == run_application(spec, kept)
    with pytest.raises(MovedKeyError) as caught:
        run_placed(spec, [*kept, moved], BOTH, workers={"y": 2}, observers=observers)
    error = caught.value
    assert (error.node, error.consumer, error.key, error.sequence) == ("debit", "credit", "n", 10)


def test_two_that_share_a_state_hand_on_no_key_whose_equal_values_have_different_bytes(
    declare: Any,
) -> None:
    text = TRANSFER.replace("-> A:", "-> F:").replace("(a: A,", "(a: F,")
    module = declare("class F(msgspec.Struct):\n    n: float\n" + text)
    with pytest.raises(PreflightError) as caught:
        run_placed([module.__name__], [module.E(1, 1)], BOTH, workers={"y": 2})
    (fault,) = caught.value.faults
    assert (fault.path, fault.category) == ("credit", "no_key")
    assert fault.expected.startswith("F from debit with an attribute 'n' that is str, bytes")


#: What a node may not do that shares its records with other workers: each gives other payloads.
LOOKING_ASIDE = """
class E(msgspec.Struct):
    k: str

@state(key="k")
class Seen(dict[str, int]): ...

@node
def sweeps(e: E, seen: Seen) -> B:
    seen[e.k] = seen.get(e.k, 0) + 1
    return B(sum(seen.values()))
"""
OUTSIDE = """
class E(msgspec.Struct):
    k: str

@node
class Keeps:
    def __init__(self): self.n = 0
    def __call__(self, e: E) -> B:
        self.n += 1
        return B(self.n)
"""
CALLED = """
class E(msgspec.Struct):
    k: str

class Client:
    def __init__(self): self.calls = 0

@node
def asks(e: E, client: Client) -> B:
    client.calls += 1
    return B(client.calls)
"""


@pytest.mark.parametrize(
    ("text", "name"), [(LOOKING_ASIDE, "sweeps"), (OUTSIDE, "keeps")], ids=["keys", "attribute"]
)
def test_what_hangs_on_the_number_of_workers_is_refused_by_the_test_kit(
    declare: Any, text: str, name: str
) -> None:
    module = declare(text)
    payloads = [module.E(f"k{n}") for n in range(20)]
    with pytest.raises(WorkersDifferError) as caught:
        run_placed([module.__name__], payloads, {name: "y"}, workers={"y": 2}, batch_records=5)
    error = caught.value
    one = run_placed([module.__name__], payloads, {name: "y"}, batch_records=5)
    assert (error.workers, error.one) == ({"y": 2}, repr(one[error.at]))
    assert error.several != error.one


def test_a_service_that_is_given_sees_each_record_once_whatever_the_workers(declare: Any) -> None:
    module = declare(CALLED)
    client, payloads = module.Client(), [module.E(f"k{n}") for n in range(4)]
    run_placed([module.__name__], payloads, {"asks": "y"}, workers={"y": 2}, services=[client])
    assert client.calls == 4


def test_what_was_given_up_is_told_once_whatever_the_workers(declare: Any) -> None:
    module = declare("@node\ndef f(a: A) -> B: return B(1 // a.n)")
    spec = ApplicationSpec(
        scenario="s",
        discovery_modules=[module.__name__],
        failure=FailureSpec(nodes={"f": NodeFailure("dead_letter")}),
    )
    told: list[GivenUp] = []
    run_placed(spec, [module.A(0), module.A(1)], {"f": "y"}, workers={"y": 2}, given_up=told)
    assert told == [GivenUp("f", module.A(0), "ZeroDivisionError", 1)]
