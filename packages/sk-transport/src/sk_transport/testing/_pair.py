"""The two ends of one link, on which the claims are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeAlias

from sk_transport._limits import FrameLimits
from sk_transport._wire import Buffer, FrameKind, WireFrame


class ChannelEnd(Protocol):
    """The interface of a channel; `SecureChannel` documents what each method promises."""

    @property
    def peer(self) -> str:
        """The proven identity of the other end."""

    def send(
        self, kind: FrameKind, header: bytes, payload: Buffer = b"", timeout: float | None = None
    ) -> None:
        """Sign and send one frame."""

    def receive(self, timeout: float | None = None) -> WireFrame:
        """Return the next frame, verified."""

    def shutdown(self) -> None:
        """End the channel from any thread."""

    def close(self) -> None:
        """Shut down and release all resources."""


def _nothing() -> None:
    """Release nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelPair:
    """The two ends of one new link, `left` and `right`. A context manager that closes both.

    `inject` puts bytes on the wire to `right` as if `left` had sent them. `check_wire` needs it; it
    is None for an implementation without a wire. `release` is called after both ends are closed.
    """

    left: ChannelEnd
    right: ChannelEnd
    inject: Callable[[bytes], None] | None = None
    release: Callable[[], None] = field(default=_nothing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.left.close()
        self.right.close()
        self.release()


MakePair: TypeAlias = Callable[[FrameLimits], ChannelPair]
"""Returns a new pair; the argument is the limits that both ends must have."""
