"""What nodes have given up, as values: in place of the file that a run writes."""

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
from sk_kernel._letters.letters import Place, whole_key
from sk_kernel._record.envelope import root_of


class GivenUp(NamedTuple):
    """A record that a node of the policy ``dead_letter`` gave up: what it was given, and why.

    ``cause`` is the name of the type of what it raised; ``sequence`` the number of the source's
    record, from 1.
    """

    node: str
    payload: Any
    cause: str
    sequence: int


class LetterBox:
    """Takes a run's dead letters, the file of which is ``path``; without one it is the run's own.

    The file is written all the same: what has no form there is refused as in a run.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._taken: list[tuple[Place, GivenUp]] = []

    def put_into(self, application: ApplicationSpec) -> ApplicationSpec:
        """The application with its letters going there."""
        if not self._path or not application.failure.writes:
            return application
        return replace(application, failure=replace(application.failure, dead_letters=self._path))

    def take(self, loss: Loss) -> None:
        """Keep a record that has become a letter, if there is anybody to ask for it."""
        if self._path:
            sequence = root_of(loss.key)
            one = GivenUp(loss.node, loss.payload, loss.cause, sequence)
            self._taken.append(((sequence, loss.node, whole_key(loss.key)), one))

    def given_up(self) -> list[GivenUp]:
        """What was taken, in the order of the file."""
        return [one for _, one in sorted(self._taken, key=itemgetter(0))]


@contextmanager
def letter_box(*, wanted: bool) -> Iterator[LetterBox]:
    """A box for the block."""
    if not wanted:
        yield LetterBox()
        return
    with TemporaryDirectory(prefix="sk-testing-") as folder:
        yield LetterBox(os.path.join(folder, "letters"))
