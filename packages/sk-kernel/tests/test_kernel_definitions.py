"""Decorators: what they record, and every way in which a declaration is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import DefinitionError
from sk_kernel._declare.specs import SPEC_ATTRIBUTE


def _batched(method: str, call: str = "a: A) -> B", prefix: str = "", body: str = "...") -> str:
    """The text of a node with a ``process_batch``."""
    head = f"@node\nclass F:\n    def __call__(self, {call}: ...\n"
    return head + f"    {prefix}def process_batch(self, {method}: {body}"


PLAIN = "__init__ must be plain"

WRONG = [
    ("must be a function or a class", "node(name='x')(3)"),
    ("needs a __call__ method", "@node\nclass Empty: ..."),
    ("positional parameter for the payload", "@node\ndef f() -> B: ..."),
    ("positional parameter for the payload", "@node\ndef f(*, a: A) -> B: ..."),
    ("parameter 'a' has no annotation: write", "@node\ndef f(a) -> B: ..."),
    ("no return annotation", "@node\ndef f(a: A): ..."),
    ("not under TYPE_CHECKING", "@node\ndef f(a: 'Nowhere') -> B: ..."),
    ("cannot be resolved", "@node\ndef f(a: 'not python') -> B: ..."),
    ("no concrete payload type", "@node\ndef f(a: object) -> B: ..."),
    ("no concrete payload type", "@node\ndef f(a: typing.Any) -> B: ..."),
    ("no concrete payload type", "@node\ndef f(a: A) -> typing.Any: ..."),
    ("no concrete payload type", "@node\ndef f(a: A) -> Envelope: ..."),
    ("no concrete payload type", "class T(typing.TypedDict): ...\n@node\ndef f(a: T) -> B: ..."),
    ("no concrete payload type", "class T(typing.Protocol): ...\n@node\ndef f(a: T) -> B: ..."),
    ("no concrete payload type", "@node\ndef f(a: A) -> typing.Awaitable[B]: ..."),
    ("does not say what it holds", "@node\ndef f(a: A) -> list: ..."),
    ("does not say what it holds", "@node\ndef f(a: A) -> typing.List: ..."),
    ("no sequence of payloads", "@node\ndef f(a: A) -> list[list[B]]: ..."),
    ("no sequence of payloads", "@node\ndef f(a: A) -> list[None]: ..."),
    ("mixes one payload with several", "@node\ndef f(a: A) -> B | list[C]: ..."),
    ("one payload at a time", "@node\ndef f(a: list[A]) -> B: ..."),
    ("never None", "@node\ndef f(a: A | None) -> B: ..."),
    ("what is around them is in a Context", "@node\ndef f(a: Envelope[A]) -> B: ..."),
    ("asynchronous generator", "@node\nasync def f(a: A) -> Iterator[B]:\n    yield a"),
    ("*more cannot be injected", "@node\ndef f(a: A, *more: B) -> B: ..."),
    ("parameter 'x' has no annotation", "@node\ndef f(a: A, x) -> B: ..."),
    ("parameter 'x' needs one class", "@node\ndef f(a: A, x: B | C) -> B: ..."),
    (
        "takes the payload and a Context only",
        "@node\nclass F:\n    def __call__(self, a: A, x: B) -> B: ...",
    ),
    (
        "belongs to __call__",
        "@node\nclass F:\n    def __init__(self, c: Context): ...\n"
        "    def __call__(self, a: A) -> B: ...",
    ),
    (
        "finish must be a method without parameters",
        "@node\nclass F:\n    def __call__(self, a: A) -> B: ...\n"
        "    def finish(self, x: int) -> B: ...",
    ),
    (
        "no return annotation",
        "@node\nclass F:\n    def __call__(self, a: A) -> B: ...\n    def finish(self): ...",
    ),
    ("needs arguments: x", "@state(key=None)\nclass S:\n    def __init__(self, x): ..."),
    ("needs arguments: x", "@state(key=None)\nclass S(msgspec.Struct):\n    x: int"),
    ("has seen in common for all", "@state(key=None)\nclass S:\n    seen: dict[str, int] = {}"),
    ("must be a class", "@state(key=None)\ndef f(): ..."),
    ("it is not yours", "state(key=None)(dict)"),
    ("must be a class", "@service()\ndef f(): ..."),
    ("no Context", "@service()\nclass S:\n    def __init__(self, context: Context): ..."),
    (
        "check must be a class method",
        "@service\nclass S:\n    def check(self, settings): ...",
    ),
    (
        "check must be plain",
        "@service\nclass S:\n    @classmethod\n    async def check(cls): ...",
    ),
    (
        "callable as check(), before",
        "@service\nclass S:\n    @classmethod\n    def check(cls, settings): ...",
    ),
    (
        "callable as check(settings), before",
        "@service\nclass S:\n    def __init__(self, settings: A): ...\n"
        "    @staticmethod\n    def check(): ...",
    ),
    ("no annotation", "@service()\nclass S:\n    def __init__(self, x): ..."),
    ("generator function", "@source()\ndef f() -> list[A]: ..."),
    ("cannot be async", "@source()\nasync def f() -> typing.AsyncIterator[A]:\n    yield A(1)"),
    ("write -> Iterator[B]", "@node\ndef f(a: A) -> B:\n    yield a"),
    ("write -> Iterator[B | None]", "@node\ndef f(a: A) -> B | None:\n    yield a"),
    ("has no bridge", "@source(bridge='b')\ndef f() -> Iterator[A]:\n    yield A(1)"),
    ("several payloads", "@source()\ndef f() -> A:\n    yield A(1)"),
    ("no Context", "@source()\ndef f(c: Context) -> Iterator[A]:\n    yield A(1)"),
    ("lacks read and interrupt: write read(", "@source()\nclass F: ..."),
    (
        "read must take max_records, max_bytes",
        "@source\nclass F:\n    def read(self) -> list[A]: ...\n    def interrupt(self): ...",
    ),
    ("lacks write: write write(chunk)", "@sink()\nclass F: ..."),
    (
        "one of commit and abort",
        "@sink()\nclass F:\n    def write(self, d: list[D]): ...\n    def commit(self): ...",
    ),
    ("one payload at a time", "@sink()\ndef f(d: list[D]) -> None: ..."),
    ("never None", "@sink()\ndef f(d: D | None) -> None: ..."),
    ("a function has no bridge", "@sink(bridge='b')\ndef f(d: D) -> None: ..."),
    ("no Context", "@sink()\ndef f(d: D, c: Context) -> None: ..."),
    ("plain function", "@sink()\nasync def f(d: D) -> None: ..."),
    ("plain function", "@sink()\ndef f(d: D) -> None:\n    yield"),
    (
        "a function that calls it",
        "class F:\n    def __call__(self, a: A) -> B: ...\nnode(name='f')(F())",
    ),
    (
        "write a class, such as a dataclass",
        "class T(typing.TypedDict): ...\n@node\ndef f(a: T) -> B: ...",
    ),
    ("needs a class: a NamedTuple", "@node\ndef f(a: tuple[int, str]) -> B: ..."),
    ("needs a class: a NamedTuple", "@source\ndef f() -> Iterator[tuple[int, str]]:\n    yield"),
    ("positional parameter for the payload", "@sink()\ndef f() -> None: ..."),
    ("write @node(name='x')", "@node('x')\ndef f(a: A) -> B: ..."),
    ("write @source(name='x')", "@source('x')\ndef f() -> Iterator[A]:\n    yield A(1)"),
    ("write @sink(name='x')", "@sink('x')\ndef f(d: D) -> None: ..."),
    ("write @service(name='x')", "@service('x')\nclass S: ..."),
    ("name must be a text", "@service(name='')\nclass S: ..."),
    ("state 'S': write @state(key='customer_id')", "@state\nclass S: ..."),
    ("state 'S': write @state(key='customer_id')", "@state()\nclass S: ..."),
    ("or @state(key=None)", "@state()\nclass S: ..."),
    ("state 'S': write @state(key='n')", "@state('n')\nclass S: ..."),
    (f"'S': {PLAIN}", "@state(key=None)\nclass S:\n    async def __init__(self): ..."),
    (f"'c': {PLAIN}", "@service\nclass C:\n    async def __init__(self): ..."),
    (
        f"'f': {PLAIN}",
        "@node\nclass F:\n    async def __init__(self): ...\n"
        "    def __call__(self, a: A) -> B: ...",
    ),
    ("write @state(key=", "@state(key='')\nclass S: ..."),
    ("write @state(key=", "@state(key=A)\nclass S: ..."),
    ("name must be a text", "@node(name='')\ndef f(a: A) -> B: ..."),
    ("stage must be a text", "@sink(stage=1)\ndef f(d: D) -> None: ..."),
    ("tags must be a list of texts", "@node(tags='in')\ndef f(a: A) -> B: ..."),
    ("tags must be a list of texts", "@source(tags=1)\ndef f() -> Iterator[A]:\n    yield A(1)"),
    ("provides must be a list of classes", "@service(provides=A)\nclass S: ..."),
    ("provides must be a list of classes", "@service(provides=['A'])\nclass S: ..."),
    ("is declared twice", "@node\n@sink\ndef f(a: A) -> None: ..."),
    ("is declared twice", "@state(key='n')\n@service\nclass S: ..."),
    (
        "states must be a class method",
        "@node\nclass F:\n    def states(self): ...\n    def __call__(self, a: A) -> B: ...",
    ),
    ("one for each payload", _batched("payloads: Sequence[A]) -> list[C]")),
    ("one for each payload", _batched("payloads: Sequence[A]) -> list[B | None]")),
    ("one for each payload", _batched("payloads: Sequence[A]) -> B")),
    (
        "one for each payload",
        _batched("p: list[A]) -> list[B | None] | None", call="a: A) -> B | None"),
    ),
    ("one for each payload", _batched("p: list[A]) -> tuple[B, C]", call="a: A) -> B | C")),
    ("a node that gives payloads", _batched("p: list[A]) -> list[None]", call="a: A) -> None")),
    ("a list of payloads: write list[A]", _batched("p: tuple[A, ...]) -> list[B]")),
    ("must take Sequence[A]", _batched("payloads: Sequence[B]) -> list[B]")),
    ("a list of payloads: write list[A], not A", _batched("payloads: A) -> list[B]")),
    ("takes the payloads only", _batched("payloads: list[A], c: Context) -> list[B]")),
    ("must be a plain method", _batched("payloads: list[A]) -> list[B]", prefix="async ")),
    ("without Context", _batched("payloads: list[A]) -> list[B]", call="a: A, c: Context) -> B")),
    ("without Context", _batched("payloads: list[A]) -> list[B]", call="a: A) -> list[B]")),
    (
        "must be a plain method",
        _batched("p: list[A]) -> Iterator[B]", prefix="async ", body="yield"),
    ),
    (
        "overrides __call__ and inherits process_batch",
        _batched("payloads: list[A]) -> list[B]")
        + "\n@node\nclass G(F):\n    def __call__(self, a: A) -> B: ...",
    ),
    ("is a method", "class K:\n    @node\n    def f(self, a: A) -> B: ..."),
]


@pytest.mark.parametrize(("problem", "text"), WRONG)
def test_a_wrong_declaration_is_refused_and_says_why(declare: Any, problem: str, text: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        declare(text)
    assert problem in str(caught.value)


def test_what_has_nothing_to_say_needs_no_parentheses(declare: Any) -> None:
    module = declare(
        """
        @source
        def first() -> Iterator[A]:
            yield A(1)

        @sink
        def last(d: D) -> None: ...

        @service
        class Clock: ...
        """
    )
    specs = [vars(each)[SPEC_ATTRIBUTE] for each in (module.first, module.last, module.Clock)]
    assert [type(spec).__name__ for spec in specs] == ["SourceSpec", "SinkSpec", "ServiceSpec"]


ADAPTER = """
@{kind}(bridge={bridge!r})
class F:
    def open(self): ...
    def read(self, max_records, max_bytes) -> {type}: ...
    def write(self, chunk: {type}): ...
    def interrupt(self): ...
    def close(self): ...
    def commit(self): ...
    def abort(self): ...
    def partial_outputs(self): ...
    def summary(self): ...
"""


@pytest.mark.parametrize(
    ("kind", "bridge", "type_", "problem"),
    [
        ("source", "b", "list[A]", "needs the method decode"),
        ("sink", "b", "list[A]", "needs the method encode"),
        ("sink", None, "A", "a list of payloads: write list[A], not A"),
        ("source", None, "A", "several payloads"),
    ],
)
def test_an_adapter_class_without_what_its_declaration_needs_is_refused(
    declare: Any, kind: str, bridge: str | None, type_: str, problem: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        declare(ADAPTER.format(kind=kind, bridge=bridge, type=type_))
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        *(("source", name) for name in ("open", "read", "interrupt", "close")),
        *(("sink", name) for name in ("open", "write", "commit", "abort", "summary")),
    ],
)
@pytest.mark.parametrize("form", ["async def", "def"])
def test_an_adapters_method_that_a_call_would_not_run_is_refused(
    declare: Any, kind: str, method: str, form: str
) -> None:
    """Else a sink would write nothing, and a source never end, without a word."""
    text = ADAPTER.format(kind=kind, bridge=None, type="list[A]")
    first = next(line for line in text.splitlines() if f"def {method}(" in line)
    body = "..." if form == "async def" else "(yield)"
    changed = first.replace("def", form, 1).replace("...", body)
    if (method, form) == ("summary", "def"):
        declare(text.replace(first, changed))  # pairs are as good as a mapping
        return
    with pytest.raises(DefinitionError, match=f"{method} must be a plain method"):
        declare(text.replace(first, changed))


@pytest.mark.parametrize(
    ("annotation", "types", "optional", "many", "enveloped"),
    [
        ("B", "B", False, False, False),
        ("B | C", "B C", False, False, False),
        ("B | None", "B", True, False, False),
        ("None", "", True, False, False),
        ("list[B | C] | None", "B C", True, True, False),
        ("typing.Iterable[B]", "B", False, True, False),
        ("typing.Generator[B, None, None]", "B", False, True, False),
        ("tuple[B, ...]", "B", False, True, False),
        ("tuple[B, C]", "B C", False, True, False),
        ("Envelope[B]", "B", False, False, True),
        ("B | Envelope[B]", "B", False, False, True),
        ("list[Envelope[B] | C]", "B C", False, True, True),
        ("dict[str, int]", "dict", False, False, False),
    ],
)
def test_what_a_node_emits_is_read_from_its_return_annotation(
    declare: Any, annotation: str, types: str, optional: bool, many: bool, enveloped: bool
) -> None:
    module = declare(f"@node\ndef f(a: A) -> {annotation}: ...")
    emits = vars(module.f)[SPEC_ATTRIBUTE].emits
    assert [t.name for t in emits.types] == types.split()
    assert (emits.optional, emits.many, emits.enveloped) == (optional, many, enveloped)


def test_a_class_is_named_in_snake_case_unless_it_says_otherwise(declare: Any) -> None:
    module = declare(
        """
        @node
        class ParseHTTPLine:
            def __call__(self, a: A) -> B: ...

        @node(name="other", stage="in", tags=["x"], runner="r")
        def f(a: A) -> B: ...
        """
    )
    assert vars(module.ParseHTTPLine)[SPEC_ATTRIBUTE].name == "parse_http_line"
    spec = vars(module.f)[SPEC_ATTRIBUTE]
    assert (spec.name, spec.stage, spec.tags, spec.runner) == ("other", "in", {"x"}, "r")


def test_states_may_be_structs_dataclasses_and_builtin_containers(declare: Any) -> None:
    module = declare(
        """
        @state(key="n")
        class Fields(msgspec.Struct):
            seen: dict[int, int] = {}

        @state(key=None)
        @dataclasses.dataclass
        class Data:
            seen: list[int] = dataclasses.field(default_factory=list)

        @state(key=None)
        class Counts(dict):
            NAMES = ["a"]
            known: typing.ClassVar[dict[str, int]] = {}
        """
    )
    for cls in (module.Fields, module.Data, module.Counts):
        assert vars(cls)[SPEC_ATTRIBUTE].cls is cls
        assert cls() is not None


def test_a_static_encode_is_read_as_it_will_be_called(declare: Any) -> None:
    text = ADAPTER.format(kind="sink", bridge="b", type="bytes")
    text += "    @staticmethod\n    def encode(payloads: list[A | B]) -> bytes: ...\n"
    module = declare(text)
    assert [t.name for t in vars(module.F)[SPEC_ATTRIBUTE].payload.types] == ["A", "B"]
