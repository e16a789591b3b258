"""The container: each service once, found by class, and every reason why one cannot be made."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import ResolutionError
from sk_kernel._application.discovery import discover
from sk_kernel.runtime import Container
from sk_kernel.testing import run_node


def container_of(module: Any) -> Container:
    catalogue = discover([module.__name__])
    return Container(catalogue.services.values(), catalogue.states)


def test_a_service_is_made_once_for_all_that_it_provides_even_when_it_is_falsy(
    declare: Any,
) -> None:
    module = declare(
        """
        class Port: ...
        @service(provides=[Port])
        class Empty(dict): ...
        """
    )
    container = container_of(module)
    made = container.resolve(module.Port)
    assert not made
    assert made is container.resolve(module.Empty)
    assert made is container.resolve(module.Port)


def test_services_get_services_and_defaults_only_fill_what_nothing_provides(declare: Any) -> None:
    module = declare(
        """
        class Unknown: ...
        @service()
        class Clock: ...
        @service()
        class Uses:
            def __init__(self, clock: Clock = None, unknown: Unknown = "default",
                         none: Unknown | None = "x", must: Unknown | None = None): ...
        @service()
        class Fields(msgspec.Struct):
            clock: Clock
            unknown: Unknown | None
            size: int = 3
        """
    )
    container = container_of(module)
    fields = container.resolve(module.Fields)
    assert fields.clock is container.resolve(module.Clock)
    assert (fields.unknown, fields.size) == (None, 3)
    assert container.resolve(module.Uses) is not None


def test_a_state_is_made_without_arguments_whatever_its_constructor_takes(declare: Any) -> None:
    module = declare(
        """
        @state(key=None)
        class S(dict):
            def __init__(self, size: int = 3, *rest, **more):
                self.size = size
        """
    )
    container = container_of(module)
    assert container.resolve(module.S).size == 3
    assert container.resolve(module.S) is container.resolve(module.S)


def test_what_is_provided_goes_over_what_is_declared(declare: Any) -> None:
    module = declare("@service()\nclass Clock: ...")
    container = container_of(module)
    container.provide(module.Clock, "noon")
    assert container.resolve(module.Clock) == "noon"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("@service()\nclass X:\n    def __init__(self, a: A): ...", "no service or state provides"),
        ("@service()\nclass X:\n    def __init__(self): raise ValueError('no')", "ValueError: no"),
        ("@service()\nclass X:\n    def __init__(self): raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_what_cannot_be_made_says_why(declare: Any, text: str, problem: str) -> None:
    module = declare(text)
    with pytest.raises(ResolutionError) as caught:
        container_of(module).resolve(module.X, "me")
    assert problem in str(caught.value)


def test_a_circle_is_found_and_shown_and_leaves_the_container_usable(declare: Any) -> None:
    module = declare(
        """
        class Port: ...
        @service()
        class One:
            def __init__(self, port: Port): ...
        @service(provides=[Port])
        class Two:
            def __init__(self, one: One): ...
        @service()
        class Three: ...
        """
    )
    container = container_of(module)
    for _ in range(2):
        with pytest.raises(ResolutionError, match="circular: One -> Two -> One"):
            container.resolve(module.One)
    assert container.resolve(module.Three) is not None


@pytest.mark.parametrize("wrapped", ["", "@handed_on"])
@pytest.mark.parametrize(
    "parameters",
    [
        "a: A, settings: Model, s: S, ctx: Context",
        "a: A, ctx: Context, s: S, none: Unknown | None, settings: Model, left: Unknown = 7",
        "a: A, *, ctx: Context, s: S, settings: Model",
        "a: A, /, s: S, *, settings: Model, ctx: Context",
    ],
)
def test_a_function_gets_what_is_injected_wherever_it_asks(
    declare: Any, parameters: str, wrapped: str
) -> None:
    """Beside its Context, by position, by keyword or behind a wrapper of another's making."""
    module = declare(
        f"""
import functools
class Unknown: ...
class Model(msgspec.Struct):
    add: int = 10
@state(key=None)
class S:
    seen = 0
def handed_on(function):
    @functools.wraps(function)
    def wrapper(*arguments, **named): return function(*arguments, **named)
    return wrapper
@node
{wrapped}
def f({parameters}) -> D:
    s.seen += 1
    return D(f"{{a.n + settings.add}} {{s.seen}} {{ctx.sequence}}")
"""
    )
    got = run_node(module.f, module.A(1), module.A(2), settings={"add": 3})
    assert [d.text for d in got] == ["4 1 1", "5 2 2"]
    assert vars(module.f).keys() <= {"__stream_kernel__", "__wrapped__"}
