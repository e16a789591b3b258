"""Modules made of a text, as users write them: what discovery finds is different in every test."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sk_kernel import AdapterSettings, ApplicationSpec
from sk_kernel.runtime import ReplyWaiterService

SUPPORT = str(Path(__file__).parent / "support")
if SUPPORT not in sys.path:
    sys.path.insert(0, SUPPORT)

from kernel_replies import Clock  # noqa: E402

Declare = Callable[..., ModuleType]

_numbers = itertools.count(1)

_PRELUDE = """
import asyncio, dataclasses, enum, typing
from collections.abc import Iterator, Sequence
import msgspec
from sk_kernel import Context, Envelope, node, service, sink, source, state

class A(msgspec.Struct, frozen=True):
    n: int

class B(msgspec.Struct, frozen=True):
    n: int

class C(msgspec.Struct, frozen=True):
    n: int

class D(msgspec.Struct, frozen=True):
    text: str
"""


@pytest.fixture
def declare() -> Iterator[Declare]:
    """Makes a module of a text behind a common prelude; ``names`` are put into it before."""
    made: list[str] = []

    def build(text: str, **names: Any) -> ModuleType:
        module = ModuleType(f"declared_{next(_numbers)}")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        vars(module).update(names)
        exec(_PRELUDE + textwrap.dedent(text), vars(module))  # noqa: S102 - the test's own text
        return module

    yield build
    for name in made:
        del sys.modules[name]


@pytest.fixture
def spec_of() -> Callable[..., ApplicationSpec]:
    """Makes the spec of a declared module whose source is ``numbers`` and whose sink is ``out``."""

    def build(
        module: ModuleType,
        *,
        source: dict[str, Any] | None = None,
        sink: dict[str, Any] | None = None,
        services: dict[str, dict[str, Any]] | None = None,
        **nodes: dict[str, Any],
    ) -> ApplicationSpec:
        return ApplicationSpec(
            scenario="tests",
            discovery_modules=[module.__name__],
            nodes=nodes,
            services=services or {},
            source=AdapterSettings("numbers", source or {}),
            sink=AdapterSettings("out", sink or {}),
        )

    return build


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def waiters(clock: Clock) -> ReplyWaiterService:
    """Waiters for few replies at a time, by that clock."""
    return ReplyWaiterService(clock=clock, max_in_flight=4)
