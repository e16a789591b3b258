"""Where a fault of the code is told to be: file and line of what is declared."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sk_kernel import AdapterSettings, ApplicationSpec, PreflightError
from sk_kernel.runtime import ApplicationContext

APP = """
import msgspec
from collections.abc import Iterator
from sk_kernel import node, sink, source, state
class A(msgspec.Struct): ...
class B(msgspec.Struct): ...
class C(msgspec.Struct): ...
@state(key="missing")
class Sums: ...
@source()
def numbers() -> Iterator[A]:
    yield A()
@sink()
def out(b: B) -> None: ...
{node}
"""
#: The line of the decorator of the node.
LINE = 15


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """The file of a module to write, which can be imported by its stem."""
    name = f"placed_{abs(hash(request.node.nodeid))}"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path / f"{name}.py"


@pytest.fixture(autouse=True)
def forgotten(module: Path) -> Iterator[None]:
    yield
    sys.modules.pop(module.stem, None)


@pytest.mark.parametrize(
    ("node", "category"),
    [
        ("@node\ndef f(a: A, count: int) -> B: ...", "unresolved"),
        ("@node\nclass F:\n    def __call__(self, a: A) -> C: ...", "unconsumed"),
        ("@node\ndef f(a: A, sums: Sums) -> B: ...", "state_key"),
        ("@node\ndef f(a: A, settings: dict) -> B: ...", "bad_model"),
        ("@node\ndef f(a: A | C) -> B | C: ...", "circular"),
    ],
)
def test_a_fault_of_a_node_names_it_with_its_file_and_line(
    module: Path, node: str, category: str
) -> None:
    module.write_text(APP.format(node=node))
    spec = ApplicationSpec(
        scenario="tests",
        discovery_modules=[module.stem],
        source=AdapterSettings("numbers"),
        sink=AdapterSettings("out"),
    )
    with pytest.raises(PreflightError) as caught:
        ApplicationContext(spec)
    fault = next(each for each in caught.value.faults if each.category == category)
    assert fault.path == "f"
    assert str(fault).endswith(f" ({module}, line {LINE})")
