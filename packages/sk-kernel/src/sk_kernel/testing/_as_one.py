"""Comparing the output of several workers with the output of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

from sk_kernel._wire.inside import MISSING
from sk_kernel.testing._differing import difference

_SHOWN: Final = 500
"""The most characters of a payload that a message shows."""


class WorkersDifferError(AssertionError):
    """The output with several workers in a group differs from the output with one.

    :param at: the index of the first payload that differs, in what the sink received.
    """

    def __init__(self, workers: Mapping[str, int], at: int, several: str, one: str) -> None:
        self.workers, self.at, self.several, self.one = dict(workers), at, several, one
        super().__init__(
            f"the output hangs on the number of workers: payload {at} is {several} with"
            f" {self.workers}, and {one} with one of each. In a keyed state a node may only look at"
            " what belongs to the key of its record; what it keeps outside of a state, each worker"
            " has for itself"
        )

    # Not by calling the class again: its parameters are fields, not the message.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}


def require_as_one(workers: Mapping[str, int], several: Sequence[Any], one: Sequence[Any]) -> None:
    """Require the output of several workers to equal the output of one.

    :raises WorkersDifferError: for the first payload that differs.
    """
    for at, (got, wanted) in enumerate(zip_longest(several, one, fillvalue=MISSING)):
        if got is not wanted and (got is MISSING or difference(wanted, got) is not None):
            raise WorkersDifferError(workers, at, _shown(got), _shown(wanted))


def _shown(payload: object) -> str:
    shown = "missing" if payload is MISSING else repr(payload)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
