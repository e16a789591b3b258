"""Settings: every fault at once, each with its path; and the injection that goes with them."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import PreflightError, ResolutionError
from sk_kernel.runtime import ApplicationContext

ADAPTERS = """
@source()
def numbers() -> Iterator[A]:
    yield from ()

@sink()
def out(b: B) -> None: ...
"""


def faults_of(spec: Any) -> set[tuple[str, str]]:
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec)
    return {(fault.path, fault.category) for fault in caught.value.faults}


MODELS = """
class Limits(msgspec.Struct):
    top: int = 1

class Inner(msgspec.Struct):
    size: int
    names: list[str] = []

class Model(msgspec.Struct, rename="camel"):
    first_limit: int
    ratio: float = 1.0
    inner: Inner | None = None
    several: list[Inner] = []
    by_name: dict[str, Inner] = {}

@source()
def numbers(settings: Limits) -> Iterator[A]:
    yield from ()

@sink()
def out(b: B) -> None: ...

@node
class F:
    def __init__(self, settings: Model): ...
    def __call__(self, a: A) -> B: ...

@node
def g(a: A) -> B: ...
"""


def test_all_faults_of_all_nodes_and_adapters_come_at_once(declare: Any, spec_of: Any) -> None:
    module = declare(MODELS)
    spec = spec_of(
        module,
        source={"top": "many"},
        f={
            "ratio": "x",
            "inner": {"size": "big", "extra": 1},
            "several": [{"size": 1}, {"names": [1]}],
            "byName": {"k": {}},
        },
        g={"x": 1},
        h={},
    )
    assert faults_of(spec) == {
        ("adapters.source.settings.top", "wrong_type"),
        ("nodes.f.firstLimit", "missing"),
        ("nodes.f.ratio", "wrong_type"),
        ("nodes.f.inner.size", "wrong_type"),
        ("nodes.f.inner.extra", "unknown_key"),
        ("nodes.f.several[1].size", "missing"),
        ("nodes.f.several[1].names[0]", "wrong_type"),
        ("nodes.f.byName.k.size", "missing"),
        ("nodes.g.x", "unknown_key"),
        ("nodes.h", "unknown_node"),
    }


@pytest.mark.parametrize(
    ("annotation", "value", "said"),
    [
        ("int", "2", "wrong_type: expected an integer; got a string"),
        ("str | None", 2, "wrong_type: expected a string or null; got an integer"),
        ("list[int]", {}, "wrong_type: expected a list; got a mapping"),
        ("typing.Annotated[int, msgspec.Meta(ge=1)]", 0, "bad_value: expected an integer >= 1"),
    ],
)
def test_a_wrong_setting_is_told_in_the_words_of_the_configuration(
    declare: Any, spec_of: Any, annotation: str, value: object, said: str
) -> None:
    model = f"class Model(msgspec.Struct):\n    x: {annotation}\n"
    module = declare(f"{ADAPTERS}{model}@node\ndef f(a: A, settings: Model) -> B: ...\n")
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec_of(module, f={"x": value}))
    assert str(caught.value) == f"nodes.f.x: {said}"


@pytest.mark.parametrize("raised", ["ValueError", "KeyError", "RuntimeError"])
def test_a_rule_over_several_fields_is_a_fault_of_the_whole(
    declare: Any, spec_of: Any, raised: str
) -> None:
    module = declare(
        ADAPTERS
        + f"""
@dataclasses.dataclass
class Model:
    low: int
    high: int = 3
    both: int = dataclasses.field(init=False)
    def __post_init__(self):
        if self.low > self.high:
            raise {raised}("low over high")
@node
def f(a: A, settings: Model) -> B: ...
"""
    )
    assert faults_of(spec_of(module, f={"low": 4})) == {("nodes.f", "bad_value")}
    assert faults_of(spec_of(module, f={"low": 1, "both": 2})) == {("nodes.f.both", "unknown_key")}


def test_a_model_that_cannot_be_one_is_a_fault(declare: Any, spec_of: Any) -> None:
    module = declare(
        ADAPTERS
        + """
class Late(msgspec.Struct):
    x: "Nowhere"
@node
def f(a: A, settings: int) -> B: ...
@node
def g(a: A, settings: Late) -> B: ...
"""
    )
    assert faults_of(spec_of(module)) == {("f", "bad_model"), ("g", "bad_model")}


def test_unknown_and_missing_adapters_name_what_there_is(declare: Any, spec_of: Any) -> None:
    module = declare("@source()\ndef other() -> Iterator[A]:\n    yield A(1)")
    with pytest.raises(
        PreflightError, match=r"adapters\.source\.name: .* one of other, requests; got numbers"
    ):
        ApplicationContext(spec_of(module))
    with pytest.raises(PreflightError, match=r"adapters\.sink\.name: .* one of replies; got out"):
        ApplicationContext(spec_of(module))


def test_what_is_injected_is_checked_before_anything_is_made(declare: Any, spec_of: Any) -> None:
    module = declare(
        """
        class Clock: ...
        class Missing: ...

        @state(key="customer")
        class Sums: ...

        @service()
        class First:
            def __init__(self, second: "Second" = None, missing: Missing = None): ...

        @service()
        class Hidden:
            def __init__(self, sums: Sums): ...

        @service()
        class Lacking:
            def __init__(self, missing: Missing): ...

        @source()
        def numbers(missing: Missing) -> Iterator[A]:
            yield A(1)

        @sink()
        def out(b: B, sums: Sums) -> None: ...

        @node
        def f(a: A, sums: Sums, missing: Missing, maybe: Missing | None, some: int = 3) -> B: ...
        """.replace('second: "Second" = None, ', "")
    )
    assert faults_of(spec_of(module)) == {
        ("hidden", "hidden_state"),
        ("lacking", "unresolved"),
        ("numbers", "unresolved"),
        ("out", "hidden_state"),
        ("f", "unresolved"),
        ("f", "state_key"),
    }


def test_services_that_need_each_other_are_a_fault(declare: Any, spec_of: Any) -> None:
    module = declare(
        ADAPTERS
        + """
class Port: ...
@service()
class One:
    def __init__(self, port: Port): ...
@service(provides=[Port])
class Two:
    def __init__(self, one: One): ...
@node
def f(a: A) -> B: ...
"""
    )
    assert faults_of(spec_of(module)) == {("one", "circular"), ("two", "circular")}


STATES = (
    ADAPTERS
    + """
@state(key=None)
class S: ...
@state(key=None)
class T: ...
class Model(msgspec.Struct):
    use: str = "S"
@node
class F:
    def __init__(self, settings: Model, s: S, t: T | None):
        self.t = t
    @classmethod
    def states(cls, settings):
        return [globals()[name] for name in settings.use.split()]
    def __call__(self, a: A) -> B: ...
"""
)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        ("T", "`| None` for S, which its states() leaves out"),
        ("S A", "a parameter for A, which its states() gives"),
        ("S X", "a states() that does not raise; got KeyError: 'X'"),
    ],
)
def test_a_wrong_choice_of_states_is_a_fault(
    declare: Any, spec_of: Any, use: str, expected: str
) -> None:
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec_of(declare(STATES), f={"use": use}))
    (fault,) = caught.value.faults
    assert (fault.path, fault.category) == ("f", "state_choice")
    assert expected in str(fault)


@pytest.mark.parametrize(("use", "names"), [("S", ["S"]), ("T S", ["S", "T"])])
def test_a_node_gets_the_states_that_it_chooses_under_its_settings(
    declare: Any, spec_of: Any, use: str, names: list[str]
) -> None:
    context = ApplicationContext(spec_of(declare(STATES), f={"use": use}))
    assert [cls.__name__ for cls in context.states_of("f")] == names
    node = context.make_node("f", context.container())
    assert (node.t is not None) == ("T" in names)


def test_a_node_that_cannot_be_made_says_which_and_why(declare: Any, spec_of: Any) -> None:
    module = declare(
        ADAPTERS
        + """
@node
class F:
    def __init__(self): raise OSError("no model file")
    def __call__(self, a: A) -> B: ...
"""
    )
    context = ApplicationContext(spec_of(module))
    with pytest.raises(ResolutionError, match=r"^f: its __init__ raised OSError: no model"):
        context.make_node("f", context.container())


def test_a_node_that_ends_the_process_while_it_is_made_is_named(declare: Any, spec_of: Any) -> None:
    module = declare(
        ADAPTERS + "@node\nclass F:\n    def __init__(self): raise SystemExit(0)\n"
        "    def __call__(self, a: A) -> B: ...\n"
    )
    context = ApplicationContext(spec_of(module))
    with pytest.raises(ResolutionError, match=r"^f: its __init__ raised SystemExit: 0"):
        context.make_node("f", context.container())


CHECKED = """
from sk_kernel import CheckError
class Model(msgspec.Struct):
    path: str = ""
class Base:
    def __init__(self, settings: Model): ...
    @classmethod
    def check(cls, settings):
        if settings.path == "bad": raise CheckError("path", "no such file")
        if settings.path == "worse": raise ValueError("what is this")
        if settings.path == "exit": raise SystemExit(0)
    def open(self): ...
    def close(self): ...
    def read(self, max_records, max_bytes) -> list[A]: ...
    def interrupt(self): ...
    def write(self, chunk: list[A]): ...
    def commit(self): ...
    def abort(self): ...
    def partial_outputs(self): ...
    def summary(self): ...
@source(name="numbers")
class In(Base): ...
@sink(name="out")
class Out(Base): ...
"""


def test_adapters_are_asked_about_their_settings_and_all_they_say_comes_at_once(
    declare: Any, spec_of: Any
) -> None:
    bad = spec_of(declare(CHECKED), source={"path": "bad"}, sink={"path": "bad"})
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(bad).run_checks()
    assert [f.path for f in caught.value.faults] == [
        "adapters.sink.settings.path",
        "adapters.source.settings.path",
    ]


@pytest.mark.parametrize(("path", "cause"), [("worse", "ValueError"), ("exit", "SystemExit")])
def test_a_check_that_raises_anything_else_is_a_fault_of_its_adapter(
    declare: Any, spec_of: Any, path: str, cause: str
) -> None:
    spec = spec_of(declare(CHECKED), sink={"path": path})
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec).run_checks()
    (fault,) = caught.value.faults
    assert fault.path == "adapters.sink"
    assert fault.got.startswith(f"sink:sink failed to check its settings: {cause}")
