"""Size limits, which are checked before memory is allocated, and checks of settings."""

from __future__ import annotations

from dataclasses import dataclass

from sk_transport.errors import InvalidSettingError

PREFIX_BYTES = 64
DEFAULT_HEADER_BYTES = 16_384
DEFAULT_PAYLOAD_BYTES = 16 * 1024 * 1024
LARGEST_HEADER = 0xFFFF
LARGEST_FRAME = 0xFFFF_FFFF + 4


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """The largest whole frame (prefix, header and payload) and the largest header, in bytes.

    A frame of exactly the largest size is accepted. Raises `InvalidSettingError` for a limit that
    the wire format does not allow: the prefix alone has 64 bytes, a header at most 65535.
    """

    max_frame_bytes: int = PREFIX_BYTES + DEFAULT_HEADER_BYTES + DEFAULT_PAYLOAD_BYTES
    max_header_bytes: int = DEFAULT_HEADER_BYTES

    def __post_init__(self) -> None:
        require_int("max_frame_bytes", self.max_frame_bytes, PREFIX_BYTES, LARGEST_FRAME)
        require_int("max_header_bytes", self.max_header_bytes, 0, LARGEST_HEADER)

    @classmethod
    def for_payload(
        cls, payload_bytes: int, header_bytes: int = DEFAULT_HEADER_BYTES
    ) -> FrameLimits:
        """Return limits that allow a payload of `payload_bytes` after the largest header."""
        return cls(PREFIX_BYTES + header_bytes + payload_bytes, header_bytes)


def require_int(setting: str, value: object, low: int, high: int) -> None:
    """Raise `InvalidSettingError` unless `value` is an int, not a bool, from `low` to `high`."""
    if type(value) is not int or not low <= value <= high:
        raise InvalidSettingError(setting, value, f"an integer from {low} to {high}")


def require_seconds(setting: str, value: float) -> int:
    """Convert seconds to nanoseconds; raise `InvalidSettingError` unless positive and finite."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not known or not 0 < value < float("inf"):
        raise InvalidSettingError(setting, value, "a positive number of seconds")
    return round(value * 1_000_000_000)
