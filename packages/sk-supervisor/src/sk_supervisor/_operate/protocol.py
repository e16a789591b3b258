"""The protocol of the admin socket: a request is one line of JSON, and so is its answer.

{"version": 1, "command": "status"}
{"version": 1, "command": "events", "after": 17}
{"version": 1, "command": "stop", "force": false, "wait": true}
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

import msgspec
from sk_kernel import STATUS_VERSION, LifecycleEvent, RunStatus
from sk_kernel.runtime import UNREADABLE

from sk_supervisor.errors import AdminAnswerError, AdminRefusedError, StatusVersionError

T = TypeVar("T")

PROTOCOL_VERSION = 1
REQUEST_BYTES = 4096
#: Enough for the status of thousands of workers, or for a page of events.
RESPONSE_BYTES = 16 * 1024 * 1024
PAGE = 200

Category = Literal["malformed", "version", "command", "forbidden", "busy", "internal"]


class Request(msgspec.Struct, frozen=True):
    """A request. With ``wait``, a stop is answered when the run has ended.

    ``after`` is the sequence number after which ``events`` begins.
    """

    version: int
    command: str
    after: int = 0
    force: bool = False
    wait: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Why a request was rejected."""

    category: Category
    message: str


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer: only the field that the request asks for is set, or ``error``.

    ``stopping`` is True after a stop was requested; ``exit_code`` is that of a run that has ended.
    """

    version: int
    status: RunStatus | None = None
    events: tuple[LifecycleEvent, ...] | None = None
    stopping: bool = False
    exit_code: int | None = None
    error: Refusal | None = None


class ReceivedResponse(msgspec.Struct, frozen=True):
    """An answer as the client decodes it: its status is left undecoded, as of unknown version."""

    status: msgspec.Raw = msgspec.Raw()
    events: tuple[LifecycleEvent, ...] = ()
    stopping: bool = False
    exit_code: int | None = None
    error: Refusal | None = None


class _Version(msgspec.Struct, frozen=True):
    version: int


def line(message: Request | Response) -> bytes:
    """A message as one line of JSON."""
    return msgspec.json.encode(message) + b"\n"


def refused(category: Category, message: str) -> Response:
    """The answer that rejects a request."""
    return Response(PROTOCOL_VERSION, error=Refusal(category, message))


def parse_request(data: bytes) -> Request | Response:
    """The request of one line, or the answer that rejects it."""
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version != PROTOCOL_VERSION:
            told = f"this run speaks version {PROTOCOL_VERSION}, not {version}"
            return refused("version", told)
        return msgspec.json.decode(data, type=Request)
    except UNREADABLE:
        return refused("malformed", "no request: one line of JSON with version and command")


def parse_response(data: bytes) -> ReceivedResponse:
    """Decode the answer of a run.

    :raises AdminRefusedError: when the run rejected the request.
    :raises StatusVersionError: when the answer is of another protocol version.
    :raises AdminAnswerError: when it cannot be decoded.
    """
    received = _checked(data, PROTOCOL_VERSION, ReceivedResponse)
    if received.error is not None:
        raise AdminRefusedError(received.error.category, received.error.message)
    return received


def parse_status(data: bytes) -> RunStatus:
    """Decode the status of an answer.

    :raises StatusVersionError: when it is of another status version.
    :raises AdminAnswerError: when it cannot be decoded.
    """
    return _checked(data, STATUS_VERSION, RunStatus)


def page(events: Iterable[LifecycleEvent]) -> tuple[LifecycleEvent, ...]:
    """The events of one answer, at most `PAGE`; a client requests more after the last of them."""
    return tuple(events)[:PAGE]


def _checked(data: bytes, known: int, kind: type[T]) -> T:
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version != known:
            raise StatusVersionError(version, known)
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise AdminAnswerError(str(error)) from error
