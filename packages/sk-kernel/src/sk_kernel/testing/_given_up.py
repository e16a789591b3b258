"""The records that nodes gave up, as values, instead of the file that a run writes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec.structs import replace

from sk_kernel._application.spec import ApplicationSpec
from sk_kernel._calls.losses import Loss
from sk_kernel._letters.letters import SortKey, whole_key
from sk_kernel._record.envelope import root_of


class GivenUp(NamedTuple):
    """A record that a node with the policy ``dead_letter`` gave up: the node's input, and why.

    ``cause`` is the name of the type of the exception that the node raised; ``sequence`` is the
    number of the source's record, from 1.
    """

    node: str
    payload: Any
    cause: str
    sequence: int


class LetterBox:
    """Collects a run's dead letters, whose file is at ``path``; without a path it does nothing.

    The file is written all the same: a payload that cannot be written fails as in a run.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._taken: list[tuple[SortKey, GivenUp]] = []

    def put_into(self, application: ApplicationSpec) -> ApplicationSpec:
        """Return the application with ``path`` as its file of dead letters."""
        if not self._path or not application.failure.writes:
            return application
        return replace(application, failure=replace(application.failure, dead_letters=self._path))

    def take(self, loss: Loss) -> None:
        """Keep a record that has become a dead letter, if the box has a path."""
        if self._path:
            sequence = root_of(loss.key)
            one = GivenUp(loss.node, loss.payload, loss.cause, sequence)
            self._taken.append(((sequence, loss.node, whole_key(loss.key)), one))

    def given_up(self) -> list[GivenUp]:
        """Return the records kept, in the order of the file."""
        return [one for _, one in sorted(self._taken, key=itemgetter(0))]


@contextmanager
def letter_box(*, wanted: bool) -> Iterator[LetterBox]:
    """Give the block a box; with a path, in a temporary folder, if it is ``wanted``."""
    if not wanted:
        yield LetterBox()
        return
    with TemporaryDirectory(prefix="sk-testing-") as folder:
        yield LetterBox(os.path.join(folder, "letters"))
