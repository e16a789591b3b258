"""Frames as an attacker writes them: every field by hand, right or not."""

from __future__ import annotations

import hashlib
import random
import struct
import time
from dataclasses import dataclass, field

HELLO, WELCOME, BATCH, END, ACK, CREDIT, REQUEST, REPLY = range(1, 9)
PREFIX_BYTES = 64
HEAD = struct.Struct(">IBBH")


@dataclass
class Attacker:
    """A local process that knows the protocol and the name of a worker, and has no key.

    Its frames look right in every field. The same `seed` gives the same bytes but for the time.
    """

    identity: str = "execution.ingress-0.1"
    seed: int = 1
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def frame(
        self,
        kind: int = HELLO,
        header: bytes | None = None,
        payload: bytes = b"",
        *,
        length: int | None = None,
        version: int = 1,
        header_length: int | None = None,
        time_ns: int | None = None,
        nonce: bytes | None = None,
        signature: bytes | None = None,
    ) -> bytes:
        """A frame, by default a HELLO of that worker; each field may lie."""
        header = self.identity.encode() if header is None else header
        body = header + payload
        return b"".join(
            (
                HEAD.pack(
                    PREFIX_BYTES - 4 + len(body) if length is None else length,
                    version,
                    kind,
                    len(header) if header_length is None else header_length,
                ),
                (time.monotonic_ns() if time_ns is None else time_ns).to_bytes(8, "big"),
                self.random.randbytes(16) if nonce is None else nonce,
                hashlib.sha256(body).digest() if signature is None else signature,
                body,
            )
        )


def flips(frame: bytes) -> list[tuple[int, bytes]]:
    """Each copy of a frame with one bit changed, and the place of the changed byte."""
    return [
        (place, frame[:place] + bytes([frame[place] ^ 1 << bit]) + frame[place + 1 :])
        for place in range(len(frame))
        for bit in range(8)
    ]


def truncations(frame: bytes) -> list[bytes]:
    """The frame, cut off behind each of its bytes but the last."""
    return [frame[:size] for size in range(1, len(frame))]
