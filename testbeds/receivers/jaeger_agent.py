"""What `jaeger-client` sends, received over UDP and read by its own generated code."""

from __future__ import annotations

import socket
import threading
from typing import Any, NamedTuple

from jaeger_client.thrift_gen.agent import Agent
from receiver_process import PATIENCE_SECONDS, StuckError
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.transport.TTransport import TMemoryBuffer

_LARGEST = 65_536
_BUFFER = 1 << 24


class LegacySpan(NamedTuple):
    """A span as the agent gets it: the tracer's trace id, its name, and its tags."""

    trace_id: str
    name: str
    tags: dict[str, object]
    references: int


class JaegerAgent:
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        self._news = threading.Condition()
        self._spans: list[LegacySpan] = []
        self._thread = threading.Thread(target=self._read, name="jaeger-agent")
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def spans(self, count: int) -> list[LegacySpan]:
        """Give the spans, once there are so many."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._spans) >= count, PATIENCE_SECONDS):
                raise StuckError(f"the agent got {len(self._spans)} of {count} spans")
            return list(self._spans)

    def close(self) -> None:
        """Stop listening."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while packet := self._socket.recv(_LARGEST):
            batch = _reported(packet)
            with self._news:
                self._spans += [_legacy(span) for span in batch.spans]
                self._news.notify_all()


def _reported(packet: bytes) -> Any:
    """The batch in a call of `emitBatch`; the generated server would need an event loop."""
    protocol = TCompactProtocol(TMemoryBuffer(packet))
    name, _, _ = protocol.readMessageBegin()
    if name != "emitBatch":
        raise StuckError(f"the tracer called {name}")
    arguments = Agent.emitBatch_args()
    arguments.read(protocol)
    protocol.readMessageEnd()
    return arguments.batch


def _legacy(span: Any) -> LegacySpan:
    high, low = (number & (2**64 - 1) for number in (span.traceIdHigh or 0, span.traceIdLow))
    tags = {tag.key: _value(tag) for tag in span.tags or ()}
    return LegacySpan(
        f"{high:016x}{low:016x}", span.operationName, tags, len(span.references or ())
    )


def _value(tag: Any) -> object:
    values = (tag.vStr, tag.vLong, tag.vBool, tag.vDouble)
    return next((value for value in values if value is not None), None)
