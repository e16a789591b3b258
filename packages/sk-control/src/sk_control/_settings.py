"""The limits that a control server or channel enforces on its peers."""

from __future__ import annotations

from typing import Final

from sk_control._fields import SECONDS_MAX
from sk_control._value import value
from sk_control.errors import ControlSettingError

INT32_MAX: Final = 2**31 - 1


@value(frozen=True, slots=True)
class ControlSettings:
    """Limits of the control plane. Both ends should have the same limits.

    Raises `ControlSettingError` for a value that is out of range.
    """

    ttl_seconds: float = 30.0
    """How far the time of a session's first message, in either direction, may lie from now."""
    nonce_capacity: int = 4096
    """How many first messages of a worker are remembered; more within a TTL are rejected."""
    max_message_bytes: int = 4 * 1024 * 1024
    """The largest signed message, in bytes; a larger one ends the stream without being read."""
    max_hello_bytes: int = 16 * 1024
    """The largest first message, in bytes; its sender is not authenticated yet."""
    hello_timeout_seconds: float = 5.0
    """How long a stream may be open before its hello."""
    max_waiting: int = 32
    """How many streams may be open before their hello; one more drops the oldest."""

    def __post_init__(self) -> None:
        for name in ("ttl_seconds", "hello_timeout_seconds"):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and 0 < value <= SECONDS_MAX):
                raise ControlSettingError(name, value, f"0 to {SECONDS_MAX} seconds, not 0")
        for name in ("nonce_capacity", "max_message_bytes", "max_hello_bytes", "max_waiting"):
            value = getattr(self, name)
            if not (isinstance(value, int) and 0 < value <= INT32_MAX):
                raise ControlSettingError(name, value, f"an integer from 1 to {INT32_MAX}")
