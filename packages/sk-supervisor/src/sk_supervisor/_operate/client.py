"""The client of admin sockets: finding runs, and sending requests to them."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from pathlib import Path

from sk_kernel import LifecycleEvent, RunStatus

from sk_supervisor._operate.entries import Entry, entries
from sk_supervisor._operate.protocol import (
    PROTOCOL_VERSION,
    RESPONSE_BYTES,
    Request,
    line,
    parse_response,
    parse_status,
)
from sk_supervisor._operate.rundir import existing
from sk_supervisor.errors import (
    AdminAnswerError,
    NoSuchRunError,
    RunGoneError,
    RunSilentError,
    SeveralRunsError,
)

#: The timeout of a request that does not wait for the end of the run.
RESPONSE_SECONDS = 10.0
_CHUNK = 65_536


def find_runs(
    run_dir: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[list[Path], list[Entry]]:
    """The run directories that were searched, and the runs that listen there.

    :param warn: called with a warning for each unsafe directory, which is left out.
    :raises RunDirError: when the directory that was named is unsafe, or one cannot be read.
    """
    folders = existing(run_dir, environ, warn=warn)
    return folders, [entry for folder in folders for entry in entries(folder)]


def choose(found: Sequence[Entry], wanted: str | None, folders: Sequence[Path]) -> Entry:
    """The run whose id or pid is ``wanted``, or whose id begins with it; without it, the only run.

    Pure.

    :raises NoSuchRunError: when no run matches.
    :raises SeveralRunsError: when several runs match.
    """
    tries = [list(found)]
    if wanted is not None:
        tries = [
            [e for e in found if wanted in (e.info.run_id, str(e.info.pid))],
            [e for e in found if e.info.run_id.startswith(wanted)],
        ]
    for named in tries:
        if len(named) > 1:
            raise SeveralRunsError(f"{e.info.run_id} (pid {e.info.pid})" for e in named)
        if named:
            return named[0]
    raise NoSuchRunError(wanted, folders)


def status_of(entry: Entry, seconds: float = RESPONSE_SECONDS) -> RunStatus:
    """The current status of a run.

    :raises RunGoneError: when the run has ended.
    :raises RunSilentError: when it does not answer in time.
    :raises AdminRefusedError: when it rejects the request.
    :raises AdminAnswerError, StatusVersionError: when its answer cannot be read.
    """
    response = parse_response(_ask(entry, Request(PROTOCOL_VERSION, "status"), seconds))
    if not bytes(response.status):
        raise AdminAnswerError("it holds no status")
    return parse_status(bytes(response.status))


def events_of(entry: Entry, after: int = 0) -> Iterator[LifecycleEvent]:
    """The events after a sequence number that the run still holds. Raises as :func:`status_of`."""
    while True:
        request = Request(PROTOCOL_VERSION, "events", after=after)
        events = parse_response(_ask(entry, request, RESPONSE_SECONDS)).events
        if not events:
            return
        yield from events
        after = events[-1].sequence


def stop(entry: Entry, *, force: bool) -> None:
    """Request a drain of the run, or a forced stop. Raises as :func:`status_of`."""
    parse_response(_ask(entry, Request(PROTOCOL_VERSION, "stop", force=force), RESPONSE_SECONDS))


def stop_and_wait(entry: Entry, *, force: bool, seconds: float | None) -> int:
    """Request a stop as :func:`stop` does, wait for the end of the run, and return its exit code.

    :param seconds: the maximum time to wait; None for no limit.

    Raises as :func:`status_of`: RunGoneError also if the run ended without an answer (killed).
    """
    request = Request(PROTOCOL_VERSION, "stop", force=force, wait=True)
    response = parse_response(_ask(entry, request, seconds))
    if response.exit_code is None:
        raise AdminAnswerError("it holds no exit code")
    return response.exit_code


def _ask(entry: Entry, request: Request, seconds: float | None) -> bytes:
    until = inf if seconds is None else time.monotonic() + seconds
    received = bytearray()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            # A suspended run does not accept: once its backlog is full, connect blocks.
            sock.settimeout(_left(until))
            sock.connect(str(entry.socket))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(line(request))  # a forbidden client's is not read
            while not received.endswith(b"\n") and len(received) < RESPONSE_BYTES:
                sock.settimeout(_left(until))
                data = sock.recv(_CHUNK)
                if not data:
                    raise RunGoneError(entry.info.run_id)
                received += data
        except (TimeoutError, BlockingIOError) as error:
            raise RunSilentError(entry.info.run_id, seconds or 0.0) from error
        except OSError as error:
            raise RunGoneError(entry.info.run_id) from error
    return bytes(received)


def _left(until: float) -> float | None:
    """The remaining time in the form of a socket timeout.

    :raises TimeoutError: when none is left.
    """
    if until == inf:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
