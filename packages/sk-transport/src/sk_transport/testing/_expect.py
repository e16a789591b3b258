"""Helpers of the claims: expectations with clear messages, and calls in other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
Fault = TypeVar("Fault", bound=BaseException)

SOON = 20.0
"""Seconds to wait for something that should happen at once; long enough for a busy machine."""


def equal(found: object, expected: object, what: str) -> None:
    """Raise `AssertionError` unless the two are equal. Long bytes are shown by their size."""
    if found != expected:
        raise AssertionError(f"{what}: expected {_shown(expected)}, found {_shown(found)}")


def raises(kind: type[Fault], call: Callable[[], object]) -> Fault:
    """Return the error that `call` raises; raise `AssertionError` if it is not of that kind."""
    try:
        result = call()
    except kind as fault:
        return fault
    except Exception as other:
        raise AssertionError(f"expected {kind.__name__}, got {type(other).__name__}") from other
    raise AssertionError(f"expected {kind.__name__}, but it returned {_shown(result)}")


class Background(Generic[Result]):
    """A call in a thread of its own, started at once."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._result: list[Result] = []
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="claim", daemon=True)
        self._thread.start()

    def result(self) -> Result:
        """Wait for the call to end; return its result or raise its exception."""
        self._thread.join(SOON)
        if self._thread.is_alive():
            raise AssertionError(f"a call did not end within {SOON:g} s")
        if self._fault is not None:
            raise self._fault
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._call())
        except BaseException as fault:  # noqa: BLE001 - raised again by `result`
            self._fault = fault


def _shown(value: object) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)) and len(value) > 40:
        return f"{len(value)} bytes"
    return repr(value)
