"""What a node call returns for a record that goes no further."""

from __future__ import annotations

from typing import Final


class Dropped:
    """In place of an output: the record was given up, or its request has failed.

    ``cause`` is the name of the type of what the node raised on it; None if the node was not
    called.
    """

    __slots__ = ("cause",)

    def __init__(self, cause: str | None) -> None:
        self.cause = cause


#: Of a record that the node was not called on, since its request had failed.
NOT_CALLED: Final = Dropped(None)


def drop_cause(output: object) -> str | None:
    """The cause of a record's being dropped; None of an output."""
    return output.cause if type(output) is Dropped else None
