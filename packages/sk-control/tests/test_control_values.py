"""Values: frozen dataclasses, to whoever makes, compares, shows, copies or replaces one."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from sk_control import Progress, Ready, WorkerIdentity

IDENTITY = WorkerIdentity("w-1.1", "w", index=0, incarnation=1)


def test_a_value_is_made_by_place_or_by_name_and_from_what_its_fields_default_to() -> None:
    assert Progress(3, 2) == Progress(records_out=2, records_in=3)
    assert Ready().partial_outputs == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda: WorkerIdentity("w-1.1", "w"),  # type: ignore[call-arg]
        lambda: Ready((), ()),  # type: ignore[call-arg]
        lambda: Ready((), partial_outputs=()),  # type: ignore[misc]
        lambda: Ready(outputs=()),  # type: ignore[call-arg]
    ],
    ids=["a field is missing", "too many", "one given twice", "an unknown one"],
)
def test_what_is_not_one_value_for_each_field_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"^(Ready|WorkerIdentity)"):
        make()


@pytest.mark.parametrize("name", ["group", "anything"])
def test_nothing_of_a_value_changes(name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(IDENTITY, name, "v")
    with pytest.raises(FrozenInstanceError):
        delattr(IDENTITY, name)


def test_a_value_is_equal_to_its_copies_and_they_to_each_other() -> None:
    copies = [copy.deepcopy(IDENTITY), pickle.loads(pickle.dumps(IDENTITY)), replace(IDENTITY)]  # noqa: S301
    assert {IDENTITY, *copies} == {IDENTITY}
    assert replace(IDENTITY, index=1) != IDENTITY
    assert [f.name for f in fields(IDENTITY)] == ["worker_id", "group", "index", "incarnation"]
