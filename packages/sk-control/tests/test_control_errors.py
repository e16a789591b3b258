"""The exception tree: public, typed, told in words, and picklable."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest
import sk_control
from sk_control import (
    ControlConnectionError,
    ControlError,
    ControlProtocolError,
    ControlUsageError,
    MessageKind,
    MessageRefusedError,
    ProtocolCode,
    RefusalCategory,
    RefusalCode,
    SessionState,
    VersionMismatchError,
    errors,
)

TREE = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, ControlError)
]
EXAMPLES: dict[str, Any] = {
    "code": ProtocolCode.DUPLICATE_READY,
    "state": SessionState.READY,
    "message_kind": MessageKind.READY,
    "missing": ("w-1", "w-2"),
    "ours": (1,),
    "theirs": (2, 3),
    "seconds": 1.5,
    "value": 0,
}


def fields_of(error: type[ControlError]) -> list[str]:
    """What it is made of: the annotations of the classes between it and the base."""
    between = [base for base in error.__mro__ if issubclass(base, ControlError)][:-1]
    return [name for base in reversed(between) for name in inspect.get_annotations(base)]


def example(error: type[ControlError]) -> ControlError:
    values = {name: EXAMPLES.get(name, f"a {name}") for name in fields_of(error)}
    if issubclass(error, MessageRefusedError):
        values["code"] = RefusalCode.WRONG_WORKER
    return error(**values)


@pytest.mark.parametrize("error", TREE)
def test_every_error_is_public_documented_and_says_its_fields(error: type[ControlError]) -> None:
    """It can be caught by name, and its message is built from what it holds."""
    assert getattr(sk_control, error.__name__) is error
    assert error.__doc__
    text = str(example(error))
    if issubclass(error, VersionMismatchError):
        assert "(1,)" in text
        assert "(2, 3)" in text
        return
    for name in fields_of(error):
        value = getattr(example(error), name)
        shown = value.label if isinstance(value, MessageKind) else str(value)
        if name not in ("state", "message_kind", "worker_id") or error is ControlProtocolError:
            assert shown in text


@pytest.mark.parametrize("error", TREE)
def test_every_error_pickles(error: type[ControlError]) -> None:
    """A supervisor may hand it to another process."""
    original = example(error)
    copy = pickle.loads(pickle.dumps(original))  # noqa: S301 - our own
    assert type(copy) is error
    assert vars(copy) == vars(original)
    assert str(copy) == str(original)


@pytest.mark.parametrize(
    ("given", "named"),
    [((), {}), (("a", 1.5, 2), {}), (("a",), {"address": "b"}), (("a", 1.5), {"second": 1})],
    ids=["one lacks", "too many", "twice", "unknown"],
)
def test_an_error_takes_each_of_its_fields_once(given: Any, named: dict[str, Any]) -> None:
    """By position or by name, as a function would."""
    assert errors.ControlTimeoutError("a", seconds=1.5).args == ("a", 1.5)
    with pytest.raises(TypeError, match="ControlTimeoutError"):
        errors.ControlTimeoutError(*given, **named)


@pytest.mark.parametrize(
    "error", [error for error in TREE if error not in (ControlError, ControlConnectionError)]
)
def test_every_error_has_one_fault(error: type[ControlError]) -> None:
    """The caller's, the peer's, the environment's, or that of who sent the message it names."""
    faults = [
        ControlUsageError,
        MessageRefusedError,
        errors.HelloRefusedError,
        ControlConnectionError,
        ControlProtocolError,
    ]
    assert len([fault for fault in faults if issubclass(error, fault)]) == 1


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_code_has_a_category(code: RefusalCode) -> None:
    """Nothing is refused without being counted."""
    assert code.category in RefusalCategory
