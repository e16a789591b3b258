"""Calling the methods of a source or a sink, with a typed error for whatever they raise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sk_kernel._guard.ends import ENDS
from sk_kernel._guard.forked import OwnProcess
from sk_kernel.errors import AdapterFailedError, KernelError

T = TypeVar("T")

#: Actions on payloads: their exception messages may contain payload data and are not reported.
_WITH_PAYLOAD = frozenset({"read", "decode", "encode", "write"})


def optional_method(adapter: Any, method: str) -> Callable[[], Any]:
    """Return a method that an adapter may lack, or else a function that returns ``()``."""
    found: Callable[[], Any] = getattr(adapter, method, tuple)
    return found


def call_adapter(adapter: str, action: str, call: Callable[..., T], *arguments: Any) -> T:
    """Call ``call`` with ``arguments`` and return its result.

    A process that the call forks ends where the call returns in it: see :class:`OwnProcess`.

    :param adapter: the vertex or the bridge that an error names.
    :param action: the purpose of the call, for the error's message.
    :raises AdapterFailedError: when the call raised anything except a :class:`KernelError` or an
        exception that ends the process.
    """
    try:
        with OwnProcess():
            return call(*arguments)
    except BaseException as error:
        if isinstance(error, (KernelError, *ENDS)):
            raise
        silent = action in _WITH_PAYLOAD and not isinstance(error, OSError)
        problem = "" if silent else str(error)
        raise AdapterFailedError(adapter, action, type(error).__name__, problem) from error


def clean_up_after(first: BaseException, then: Callable[[], None]) -> None:
    """Run the cleanup ``then`` after the failure ``first``; add its error to that as a note."""
    try:
        then()
    except KernelError as error:
        first.add_note(f"and then: {error}")
