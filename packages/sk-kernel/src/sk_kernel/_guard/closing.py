"""Calling the ``close`` of a service or sink after the work is done: failures become warnings."""

from __future__ import annotations

from collections.abc import Callable

from sk_kernel._guard.forked import OwnProcess
from sk_kernel._guard.whereabouts import line_of


class _Left(BaseException):
    """Interrupts a ``close`` that does not return.

    Not an ``Exception``, so that ``except Exception`` in a retry loop does not catch it.
    """


class Closing:
    """Calls ``close`` functions one after the other; a signal handler can interrupt each call."""

    def __init__(self) -> None:
        self._is_closing = False

    def call(self, close: Callable[[], object]) -> BaseException | None:
        """Call ``close`` and return the exception that it raised, or None."""
        try:
            self._is_closing = True
            try:
                with OwnProcess():
                    close()
            finally:
                self._is_closing = False
        except BaseException as error:  # noqa: BLE001 - the caller decides how to handle it
            return error
        return None

    def leave(self) -> None:
        """Interrupt the current call of ``close``, if there is one, by raising out of it.

        Call this only from a signal handler that runs in the thread of :meth:`call`.
        """
        if self._is_closing:
            raise _Left


def warn_of_close(owner: str, error: BaseException) -> None:
    """Log a warning that the ``close`` of a service or sink raised; the work is already done."""
    from logging import getLogger  # rarely needed, and importing it takes some milliseconds

    raised = f"raised {type(error).__name__}: {error}"
    if isinstance(error, _Left):
        raised = "did not return in time, and was broken off"
    getLogger("sk_kernel").warning("%s: its close() %s%s", owner, raised, line_of(error))
