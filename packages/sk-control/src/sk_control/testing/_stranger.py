"""An unauthenticated peer, which speaks gRPC but follows no other rule of the protocol."""

from __future__ import annotations

from typing import Any, Self

import grpc

from sk_control._grpc import METHOD_PATH
from sk_control._outbox import Outbox
from sk_control.errors import ControlConnectError

_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_send_message_length", -1),
]


class Stranger:
    """A connection to a control server without keys, on which any number of streams can be opened.

    A context manager.
    """

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(f"ipv4:{address}", _OPTIONS)
        self._streams: list[StrangersStream] = []

    def open(self, method: str = METHOD_PATH) -> StrangersStream:
        """Open a new stream."""
        stream = StrangersStream(self._channel, method)
        self._streams = [one for one in self._streams if not one.closed]
        self._streams.append(stream)
        return stream

    def strike(self, *raw: bytes, method: str = METHOD_PATH, timeout: float = 20.0) -> str:
        """Send bytes on a new stream, wait for its end, and return its `outcome`."""
        stream = self.open(method)
        stream.send(*raw)
        try:
            return stream.outcome(timeout)
        finally:
            stream.close()

    def close(self) -> None:
        """Cancel all streams and close the connection."""
        for stream in self._streams:
            stream.close()
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StrangersStream:
    """One stream of a `Stranger`."""

    def __init__(self, channel: grpc.Channel, method: str) -> None:
        self.closed = False
        self._outbox = Outbox()
        self._call: Any = channel.stream_stream(method, None, None)(iter(self._outbox))

    def send(self, *raw: bytes) -> None:
        """Queue bytes, each as a message."""
        for message in raw:
            self._outbox.put(message)

    def half_close(self) -> None:
        """Send the queued messages and end this direction; messages can still be received."""
        self._outbox.close()

    def receive(self) -> bytes:
        """Return the next message; raises `ControlConnectError` when there is none."""
        try:
            return bytes(next(self._call))
        except StopIteration:
            raise ControlConnectError("the server", "the stream has ended") from None
        except grpc.RpcError as fault:
            reason = f"the stream has ended with {fault.code().name}"
            raise ControlConnectError("the server", reason) from None

    def outcome(self, timeout: float = 20.0) -> str:
        """Wait for the end of the stream, and return how it ended.

        The result is `category/code` of a refusal, else the name of the gRPC status, or "OPEN" if
        the stream has not ended within `timeout` seconds.
        """
        try:
            self._call.exception(timeout)
        except grpc.FutureTimeoutError:
            return "OPEN"
        except grpc.FutureCancelledError:
            return "CANCELLED"
        refusal = dict(self._call.trailing_metadata()).get("sk-refusal")
        return str(refusal or self._call.code().name)

    def close(self) -> None:
        """Cancel the stream."""
        self.closed = True
        self._call.cancel()
        self._outbox.close()
