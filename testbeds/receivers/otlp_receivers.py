"""Two OTLP servers that others wrote: a mock that tells what it got, and one that stores it."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from received import Received
from receiver_process import PATIENCE_SECONDS, ReceiverProcess

_SCRIPT = Path(__file__).resolve().with_name("mock_otlp.js")
_PAGE = 1_000


class OtlpReceiver(Protocol):
    """Where spans can be sent to, and asked for."""

    compressions: Mapping[str, str]
    """What it can unpack, by the protocol."""

    def endpoint(self, protocol: str) -> str:
        """Give the address for `grpc` or `http`."""

    def spans(self, count: int) -> list[Received]:
        """Give all spans that have arrived since the last call, once there are so many."""

    def instances(self) -> set[str]:
        """Give who has sent: the `service.instance.id`s of what `spans` gave last."""

    def close(self) -> None:
        """Stop it."""


class MockOtlp:
    """`@elastic/mockotlpserver`, told to print what it receives."""

    compressions: Mapping[str, str] = {"grpc": "gzip", "http": "none"}

    def __init__(self, installed: Path, folder: Path) -> None:
        env = {**os.environ, "NODE_PATH": str(installed / "node" / "node_modules")}
        command = ["node", str(_SCRIPT)]
        self._process = ReceiverProcess(command, env=env, cwd=folder, patience=PATIENCE_SECONDS)
        try:
            self._addresses: dict[str, str] = json.loads(self._process.lines(bool)[0])
        except BaseException:
            self._process.close()
            raise
        self._taken = 1
        self._last: list[dict[str, Any]] = []

    def endpoint(self, protocol: str) -> str:
        """Give the address for `grpc` or `http`."""
        return self._addresses[protocol]

    def spans(self, count: int) -> list[Received]:
        """Give all spans that have arrived since the last call, once there are so many."""
        lines = self._process.lines(lambda lines: len(self._of(lines)) >= count)
        found = self._of(lines)
        self._last = [json.loads(line) for line in lines[self._taken :]]
        self._taken = len(lines)
        return found

    def instances(self) -> set[str]:
        """Give who has sent."""
        return {
            resource["resource"]["attributes"]["service.instance.id"]
            for request in self._last
            for resource in request["resourceSpans"]
        }

    def close(self) -> None:
        """Stop it."""
        self._process.close()

    def _of(self, lines: Sequence[str]) -> list[Received]:
        return [
            _mock_span(span)
            for line in lines[self._taken :]
            for resource in json.loads(line)["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


class Phoenix:
    """`arize-phoenix`, which stores spans in SQLite and is asked over its REST interface."""

    compressions: Mapping[str, str] = {"grpc": "gzip", "http": "gzip"}

    def __init__(self, installed: Path, folder: Path) -> None:
        web, grpc = free_ports(2)
        own = {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(web),
            "PHOENIX_GRPC_PORT": str(grpc),
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
        }
        self._addresses = {
            "http": f"http://127.0.0.1:{web}/v1/traces",
            "grpc": f"http://127.0.0.1:{grpc}",
        }
        self._web = f"http://127.0.0.1:{web}"
        self._seen: set[str] = set()
        command = [str(installed / "phoenix" / "bin" / "phoenix"), "serve"]
        env = {**os.environ, **own}
        env.pop(
            "PYTHONDONTWRITEBYTECODE", None
        )  # To compile it all takes a minute: once is enough.
        self._process = ReceiverProcess(command, env=env, cwd=folder, patience=PATIENCE_SECONDS)
        try:
            self._process.look(partial(self._answer, "/v1/projects"))
        except BaseException:
            self._process.close()
            raise

    def endpoint(self, protocol: str) -> str:
        """Give the address for `grpc` or `http`."""
        return self._addresses[protocol]

    def spans(self, count: int) -> list[Received]:
        """Give all spans that have arrived since the last call, once there are so many."""

        def enough() -> list[dict[str, Any]] | None:
            found = [span for span in self._stored() if span["id"] not in self._seen]
            return found if len(found) >= count else None

        found = self._process.look(enough)
        self._seen |= {span["id"] for span in found}
        return [_phoenix_span(span) for span in found]

    def instances(self) -> set[str]:
        """Give nobody: it does not store the resource of a span."""
        return set()

    def close(self) -> None:
        """Stop it."""
        self._process.close()

    def _stored(self) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            answer = self._answer(f"/v1/projects/default/spans?limit={_PAGE}{cursor}")
            if answer is None:
                return
            yield from answer["data"]
            if answer["next_cursor"] is None:
                return
            cursor = f"&cursor={answer['next_cursor']}"

    def _answer(self, path: str) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(self._web + path, timeout=30) as response:  # noqa: S310
                answer: dict[str, Any] = json.load(response)
                return answer
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return None


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens to, for a server that cannot choose them itself."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _mock_span(span: Mapping[str, Any]) -> Received:
    parent = span.get("parentSpanId") or None
    return _received(span["traceId"], span["spanId"], parent, span["name"], span["attributes"])


def _phoenix_span(span: Mapping[str, Any]) -> Received:
    ids = span["context"]
    return _received(
        ids["trace_id"], ids["span_id"], span["parent_id"], span["name"], span["attributes"]
    )


def _received(
    trace_id: str, span_id: str, parent_id: str | None, name: str, attributes: Mapping[str, Any]
) -> Received:
    return Received(
        trace_id,
        span_id,
        parent_id,
        name,
        attributes["process_group"],
        attributes.get("handoff_from"),
        int(attributes["route_hop"]),
        int(attributes["sequence"]),
    )
