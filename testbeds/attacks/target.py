"""A data port of one's own to attack: it counts what it refuses, and knows who may come."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from sk_transport import (
    ChannelClosedError,
    FrameKind,
    HandshakeLimits,
    KeyMaterial,
    LinkKeys,
    SecureTcpTransport,
)

SESSION, SERVER, WORKER = "session-1", "hub", "execution.ingress-0.1"


class DataTarget:
    """A listener with one worker that it expects, which answers each frame with its header."""

    def __init__(self, handshake_seconds: float) -> None:
        limits = HandshakeLimits(timeout_seconds=handshake_seconds)
        self._keys = LinkKeys.derive(KeyMaterial.generated(), SESSION, WORKER, SERVER)
        self._transport = SecureTcpTransport(session=SESSION, identity=SERVER, handshake=limits)
        self._listener = self._transport.listen({WORKER: self._keys}.get)
        self._thread = threading.Thread(target=self._serve, name="target", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._listener.address

    def refused(self) -> dict[str, int]:
        """What it has refused so far, by category."""
        return self._transport.rejects()

    def greets_its_worker(self) -> bool:
        """Whether an honest worker is let in and answered."""
        own = SecureTcpTransport(session=SESSION, identity=WORKER)
        with own.connect(self.address, server=SERVER, keys=self._keys, timeout=20) as channel:
            channel.send(FrameKind.BATCH, b"still here?", b"", 20)
            return channel.receive(20).header == b"still here?"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                with self._listener.accept() as channel:
                    channel.send(FrameKind.ACK, channel.receive(20).header, b"", 20)
            except ChannelClosedError as closed:
                if closed.by == "this side":
                    return
