"""Calling the ``close`` of a service or a sink, behind the work: what it fails of is a warning."""

from __future__ import annotations

from collections.abc import Callable

from sk_kernel._application.forked import OwnProcess
from sk_kernel._application.whereabouts import line_of


class _Left(BaseException):
    """Ends a ``close`` that goes on: no ``Exception``, behind which one may try again."""


class Closing:
    """Calls one after the other, each of which can be left where it goes on."""

    def __init__(self) -> None:
        self._is_closing = False

    def call(self, close: Callable[[], object]) -> BaseException | None:
        """Call it; what it has raised."""
        try:
            self._is_closing = True
            try:
                with OwnProcess():
                    close()
            finally:
                self._is_closing = False
        except BaseException as error:  # noqa: BLE001 - the caller knows what it is
            return error
        return None

    def leave(self) -> None:
        """Break out of what is being closed, if anything is.

        Only for a signal's handler, in the thread of :meth:`call`.
        """
        if self._is_closing:
            raise _Left


def warn_of_close(owner: str, error: BaseException) -> None:
    """Warn that the ``close`` of a service or a sink has raised: the work is done by then."""
    from logging import getLogger  # here: seldom, and it takes a worker some milliseconds

    raised = f"raised {type(error).__name__}: {error}"
    if isinstance(error, _Left):
        raised = "did not return in time, and was broken off"
    getLogger("sk_kernel").warning("%s: its close() %s%s", owner, raised, line_of(error))
