"""The result of a node call for a record that goes no further."""

from __future__ import annotations

from typing import Final


class Dropped:
    """Replaces an output: the record was given up, or its request has failed.

    ``cause`` is the type name of the exception that the node raised on it; None if the node was not
    called.
    """

    __slots__ = ("cause",)

    def __init__(self, cause: str | None) -> None:
        self.cause = cause


#: For a record that the node was not called on, since its request had failed.
NOT_CALLED: Final = Dropped(None)


def drop_cause(output: object) -> str | None:
    """Return the cause of a dropped record; None for an output."""
    return output.cause if type(output) is Dropped else None
