"""Decoding of bytes into frames, by a state machine that does no I/O.

Bytes are received into `buffer()`. Between frames this is a read-ahead buffer, so that one `recv`
reads many small frames, or all of a medium one: copying it out costs less than a second `recv`.
When the head of a larger frame has arrived but not the rest, a buffer of exactly its size is
allocated, the received bytes are moved there, and the rest is received in place.
"""

from __future__ import annotations

from sk_transport._limits import FrameLimits
from sk_transport._wire import HEAD_BYTES, Buffer, FrameHead, WireFrame, read_head
from sk_transport.errors import FrameError, TruncatedFrameError

READ_AHEAD_BYTES = 131_072
# The rest of a frame up to this size is received into the read-ahead buffer, so that the same recv
# also reads the frames after it.
SMALL_FRAME_BYTES = 4_096


class FrameDecoder:
    """Cuts a stream of bytes into frames, no matter how the stream is chunked.

    A fault is found in the first 8 bytes of a frame, before memory is allocated for the rest. The
    frames before it are still returned; after that every call raises the same `FrameError`.
    """

    def __init__(self, limits: FrameLimits) -> None:
        self._limits = limits
        # Not larger than one frame may be, which in a handshake bounds the memory that an
        # unauthenticated peer can use.
        self._ahead = memoryview(bytearray(min(READ_AHEAD_BYTES, limits.max_frame_bytes)))
        self._have = 0  # bytes in the read-ahead buffer: the beginning of a frame
        self._head: FrameHead | None = None  # of the incomplete frame, once it has arrived
        self._large: bytearray | None = None  # the frame that is received in place, if any
        self._large_have = 0  # bytes of that frame that have arrived
        self._fault: FrameError | None = None

    @property
    def fault(self) -> FrameError | None:
        """The error that ended this stream, if any; the next call raises it."""
        return self._fault

    def buffer(self) -> memoryview:
        """Return the buffer to receive the next bytes into; it is never empty.

        Call this again after each `advance`. Raises the `fault`.
        """
        self._check()
        if self._large is not None:
            return memoryview(self._large)[self._large_have :]
        return self._ahead[self._have :]

    def advance(self, count: int) -> list[WireFrame]:
        """Decode the `count` bytes received into `buffer()`; return the frames they complete.

        Raises a `FrameError` if the bytes are not a frame, and `ValueError` for a count that is
        negative or larger than the buffer.
        """
        self._check()
        large = self._large
        room = len(self._ahead) - self._have if large is None else len(large) - self._large_have
        if not 0 <= count <= room:
            raise ValueError(f"{count} bytes cannot have been written into {room}")
        frames = self._take(count)
        if not frames:
            self._check()
        return frames

    def feed(self, data: Buffer) -> list[WireFrame]:
        """Copy and decode `data`; return the frames that it completes. Raises like `advance`."""
        self._check()
        frames: list[WireFrame] = []
        rest = memoryview(data).cast("B")
        while len(rest) and self._fault is None:
            target = self.buffer()
            count = min(len(target), len(rest))
            target[:count] = rest[:count]
            frames += self._take(count)
            rest = rest[count:]
        if not frames:
            self._check()
        return frames

    def at_boundary(self) -> bool:
        """Whether the stream is between two frames: no part of the next one has arrived."""
        return self._fault is None and self._large is None and self._have == 0

    def finish(self) -> None:
        """Report the end of the stream to the decoder.

        Raises `TruncatedFrameError` if the stream ended within a frame, or the earlier fault.
        """
        self._check()
        if not self.at_boundary():
            received = self._have if self._large is None else self._large_have
            self._fault = TruncatedFrameError(received, self._head.size if self._head else None)
            self._check()

    def _check(self) -> None:
        if self._fault is not None:
            # Every raise of the same exception would otherwise lengthen its traceback.
            raise self._fault.with_traceback(None)

    def _take(self, count: int) -> list[WireFrame]:
        if self._large is None:
            return self._cut(self._have + count)
        self._large_have += count
        if self._large_have < len(self._large) or self._head is None:
            return []
        frame = WireFrame(self._large, self._head)
        self._large = self._head = None
        return [frame]

    def _cut(self, end: int) -> list[WireFrame]:
        """Cut every whole frame out of the first `end` bytes of the read-ahead buffer."""
        frames: list[WireFrame] = []
        start = 0
        self._head = None
        while end - start >= HEAD_BYTES:
            try:
                head = read_head(self._ahead, start, self._limits)
            except FrameError as fault:
                self._fault = fault
                return frames
            if head.size > end - start:
                self._head = head
                break
            frames.append(WireFrame(bytearray(self._ahead[start : start + head.size]), head))
            start += head.size
        self._keep(start, end)
        return frames

    def _keep(self, start: int, end: int) -> None:
        """Move the incomplete frame to the front of the read-ahead buffer, or to its own buffer."""
        self._have = end - start
        if self._head is not None and self._head.size > min(SMALL_FRAME_BYTES, len(self._ahead)):
            self._large = bytearray(self._head.size)
            self._large[: self._have] = self._ahead[start:end]
            self._large_have, self._have = self._have, 0
        elif start and self._have:
            self._ahead[: self._have] = bytes(self._ahead[start:end])
