"""Calling the methods of a source or a sink, with an error of ours for whatever one raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sk_kernel._application.forked import OwnProcess
from sk_kernel._record.ends import ENDS
from sk_kernel.errors import AdapterFailedError, KernelError

T = TypeVar("T")

#: Actions on payloads: the text of what is raised there may hold some of one, and is not told.
_WITH_PAYLOAD = frozenset({"read", "decode", "encode", "write"})


def optional_method(adapter: Any, method: str) -> Callable[[], Any]:
    """A method that an adapter need not have; in its place one that only gives ``()``."""
    found: Callable[[], Any] = getattr(adapter, method, tuple)
    return found


def call_adapter(adapter: str, action: str, call: Callable[..., T], *arguments: Any) -> T:
    """What ``call`` gives for ``arguments``.

    A process that the call forks ends where that comes back: see :class:`OwnProcess`.

    :param adapter: the vertex or the bridge that an error is to name.
    :param action: what the call is for, as the error says it.
    :raises AdapterFailedError: when the call raised anything but a :class:`KernelError`, or what
        ends the process.
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


def call_behind(first: BaseException, then: Callable[[], None]) -> None:
    """Clean up behind the failure ``first``: that this fails too is noted on it, and not raised."""
    try:
        then()
    except KernelError as error:
        first.add_note(f"and then: {error}")
