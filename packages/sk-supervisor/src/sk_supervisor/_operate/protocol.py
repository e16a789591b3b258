"""What is said over the admin socket: one line of JSON, and one line of JSON back.

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
#: An answer holds the status of thousands of workers, or a page of events.
RESPONSE_BYTES = 16 * 1024 * 1024
PAGE = 200

Category = Literal["malformed", "version", "command", "forbidden", "busy", "internal"]


class Request(msgspec.Struct, frozen=True):
    """What is asked. With ``wait`` the answer to a stop comes when the run has ended."""

    version: int
    command: str
    after: int = 0
    force: bool = False
    wait: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no answer."""

    category: Category
    message: str


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is answered: the one thing that was asked for.

    ``stopping`` says that a stop was asked for, ``exit_code`` what the run has ended with.
    """

    version: int
    status: RunStatus | None = None
    events: tuple[LifecycleEvent, ...] | None = None
    stopping: bool = False
    exit_code: int | None = None
    error: Refusal | None = None


class ReceivedResponse(msgspec.Struct, frozen=True):
    """An answer as it is read: its status may be of any version."""

    status: msgspec.Raw = msgspec.Raw()
    events: tuple[LifecycleEvent, ...] = ()
    stopping: bool = False
    exit_code: int | None = None
    error: Refusal | None = None


class _Version(msgspec.Struct, frozen=True):
    version: int


def line(message: Request | Response) -> bytes:
    """A message as it goes over the socket."""
    return msgspec.json.encode(message) + b"\n"


def refused(category: Category, message: str) -> Response:
    """The answer that is none."""
    return Response(PROTOCOL_VERSION, error=Refusal(category, message))


def parse_request(data: bytes) -> Request | Response:
    """The request of one line, or the answer to what is none."""
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version != PROTOCOL_VERSION:
            told = f"this run speaks version {PROTOCOL_VERSION}, not {version}"
            return refused("version", told)
        return msgspec.json.decode(data, type=Request)
    except UNREADABLE:
        return refused("malformed", "no request: one line of JSON with version and command")


def parse_response(data: bytes) -> ReceivedResponse:
    """What a run answered.

    :raises AdminRefusedError: when it refused.
    :raises StatusVersionError: when it speaks another version.
    :raises AdminAnswerError: when it makes no sense.
    """
    received = _checked(data, PROTOCOL_VERSION, ReceivedResponse)
    if received.error is not None:
        raise AdminRefusedError(received.error.category, received.error.message)
    return received


def parse_status(data: bytes) -> RunStatus:
    """The status in an answer.

    :raises StatusVersionError: when it is of a version that is not known here.
    :raises AdminAnswerError: when it makes no sense.
    """
    return _checked(data, STATUS_VERSION, RunStatus)


def page(events: Iterable[LifecycleEvent]) -> tuple[LifecycleEvent, ...]:
    """As many of the events as one answer holds; whoever wants more asks behind the last."""
    return tuple(events)[:PAGE]


def _checked(data: bytes, known: int, kind: type[T]) -> T:
    try:
        version = msgspec.json.decode(data, type=_Version).version
        if version != known:
            raise StatusVersionError(version, known)
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise AdminAnswerError(str(error)) from error
