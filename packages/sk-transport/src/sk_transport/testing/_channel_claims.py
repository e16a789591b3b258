"""The claims of a channel's contract, as functions that check them."""

from __future__ import annotations

import array
import math
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

from sk_transport._limits import PREFIX_BYTES
from sk_transport._wire import FrameKind
from sk_transport.errors import (
    ChannelClosedError,
    DeadlineError,
    OversizeFrameError,
    OversizeHeaderError,
    TransportError,
    UnexpectedKindError,
)
from sk_transport.testing._claim_limits import LIMITS
from sk_transport.testing._expect import SOON, Background, equal, raises
from sk_transport.testing._pair import ChannelEnd, ChannelPair

BATCH, END, ACK = FrameKind.BATCH, FrameKind.END, FrameKind.ACK

_MOMENT = 0.05
_LARGEST_PAYLOAD = LIMITS.max_frame_bytes - LIMITS.max_header_bytes - PREFIX_BYTES
# The most frames of the largest size that may be in flight while no end receives.
_MOST_IN_FLIGHT = 64


def what_is_sent_arrives_as_it_was(pair: ChannelPair) -> None:
    """Kind, header and payload arrive unchanged, from empty ones up to the limits."""
    for kind in (BATCH, END, ACK, FrameKind.CREDIT):
        for header, size in ((b"", 0), (b"h", 1), (bytes(range(256)) * 2, _LARGEST_PAYLOAD)):
            payload = (b"0123456789abcdef!" * (size // 17 + 1))[:size]
            sent = Background(partial(pair.left.send, kind, header, payload, SOON))
            frame = pair.right.receive(SOON)
            sent.result()
            equal((frame.kind, frame.header), (kind, header), "kind and header")
            equal(bytes(frame.payload), payload, "the payload")


def any_buffer_is_a_payload(pair: ChannelPair) -> None:
    """`bytes`, a `bytearray` and a `memoryview` of any item type are sent as their bytes."""
    numbers = array.array("I", [1, 2, 3])
    for payload in (b"abc", bytearray(b"abc"), memoryview(b"xabcx")[1:4], memoryview(numbers)):
        pair.left.send(BATCH, b"", payload, SOON)
        equal(bytes(pair.right.receive(SOON).payload), memoryview(payload).tobytes(), "the payload")


def a_payload_is_free_when_send_returns(pair: ChannelPair) -> None:
    """Changing the payload buffer after `send` has returned does not change the frame."""
    payload = bytearray(b"before")
    pair.left.send(BATCH, b"", payload, SOON)
    payload[:] = b"after!"
    equal(bytes(pair.right.receive(SOON).payload), b"before", "the payload")


def order_is_kept_both_ways_at_once(pair: ChannelPair) -> None:
    """While each end sends and receives in two threads, all frames arrive in order."""
    frames = 100

    def send(end: ChannelEnd) -> None:
        for number in range(frames):
            end.send(BATCH, str(number).encode(), bytes(number * 300), SOON)

    def receive(end: ChannelEnd) -> list[int]:
        return [int(end.receive(SOON).header) for _ in range(frames)]

    ends = (pair.left, pair.right)
    senders = [Background(partial(send, end)) for end in ends]
    receivers = [Background(partial(receive, end)) for end in ends]
    for sender in senders:
        sender.result()
    for receiver in receivers:
        equal(receiver.result(), list(range(frames)), "the order")


def what_several_threads_send_stays_whole(pair: ChannelPair) -> None:
    """Frames of different threads may arrive in any order, but each arrives whole."""
    threads, frames = 4, 25

    def send(thread: int) -> None:
        for _ in range(frames):
            pair.left.send(BATCH, bytes([thread]), bytes([thread]) * 5_000, SOON)

    senders = [Background(partial(send, thread)) for thread in range(threads)]
    received = [pair.right.receive(SOON) for _ in range(threads * frames)]
    for sender in senders:
        sender.result()
    for frame in received:
        equal(bytes(frame.payload), frame.header * 5_000, "a frame's payload")
    headers = sorted(frame.header[0] for frame in received)
    equal(headers, sorted(list(range(threads)) * frames), "frames by thread")


def each_end_knows_the_other(pair: ChannelPair) -> None:
    """`peer` is a non-empty name at both ends, and the two names differ."""
    equal(pair.left.peer == pair.right.peer, False, "both ends have one name")
    equal(bool(pair.left.peer and pair.right.peer), True, "both ends know a name")


def what_is_too_large_is_not_sent(pair: ChannelPair) -> None:
    """A frame or header over the limit raises, none of it is sent, and the channel stays usable."""
    too_long = bytes(LIMITS.max_header_bytes + 1)
    too_large = bytes(LIMITS.max_frame_bytes - PREFIX_BYTES + 1)
    raises(OversizeHeaderError, lambda: pair.left.send(BATCH, too_long, b"", SOON))
    raises(OversizeFrameError, lambda: pair.left.send(BATCH, b"", too_large, SOON))
    pair.left.send(BATCH, b"next", b"", SOON)
    equal(pair.right.receive(SOON).header, b"next", "the next frame")


def a_frame_of_the_handshake_is_refused(pair: ChannelPair) -> None:
    """`receive` rejects HELLO and WELCOME, as they are not data, and returns the next frame."""
    for kind in (FrameKind.HELLO, FrameKind.WELCOME):
        pair.left.send(kind, b"left", b"", SOON)
        pair.left.send(BATCH, b"next", b"", SOON)
        raises(UnexpectedKindError, lambda: pair.right.receive(SOON))
        equal(pair.right.receive(SOON).header, b"next", "the next frame")


def a_receive_that_ran_out_of_time_lost_nothing(pair: ChannelPair) -> None:
    """`receive` raises `DeadlineError`, also with a timeout of 0; later frames are received."""
    for seconds in (0.0, _MOMENT):
        raises(DeadlineError, partial(pair.right.receive, seconds))
    pair.left.send(BATCH, b"late", b"", SOON)
    equal(pair.right.receive(SOON).header, b"late", "the frame")


def a_time_limit_may_be_of_any_length(pair: ChannelPair) -> None:
    """A timeout longer than the system can wait at once, or infinite, acts like none."""
    for seconds in (1e6, 1e10, math.inf):
        raises(DeadlineError, partial(pair.right.receive, 0.0))
        receiving = Background(partial(pair.right.receive, seconds))
        pair.left.send(BATCH, b"header", b"", seconds)
        equal(receiving.result().header, b"header", "the frame")


def a_send_that_nobody_reads_ends(pair: ChannelPair) -> None:
    """The amount in flight is bounded; a send that times out raises and ends the channel."""
    raises(DeadlineError, partial(_send_much, pair.left, _MOMENT))
    equal(raises(ChannelClosedError, _sends(pair.left)).by, "this side", "closed by")


def shutdown_wakes_a_receiver(pair: ChannelPair) -> None:
    """`shutdown` in another thread makes a waiting `receive` raise at once."""
    receiving = Background(partial(pair.right.receive, SOON))
    pair.right.shutdown()
    equal(raises(ChannelClosedError, receiving.result).by, "this side", "closed by")


def shutdown_wakes_a_sender(pair: ChannelPair) -> None:
    """`shutdown` in another thread makes a blocked `send` raise at once."""
    sending = Background(partial(_send_much, pair.left, None))
    pair.left.shutdown()
    equal(raises(ChannelClosedError, sending.result).by, "this side", "closed by")


def the_peers_end_wakes_a_sender(pair: ChannelPair) -> None:
    """A blocked `send` raises when the peer closes the channel."""
    sending = Background(partial(_send_much, pair.left, None))
    pair.right.close()
    equal(raises(ChannelClosedError, sending.result).by, "the peer", "closed by")


def what_was_sent_before_the_end_is_received(pair: ChannelPair) -> None:
    """After the last frame, every `receive` reports that the peer closed the channel."""
    for number in range(3):
        pair.left.send(BATCH, bytes([number]), b"", SOON)
    pair.left.close()
    for number in range(3):
        equal(pair.right.receive(SOON).header, bytes([number]), "the frame")
    for _ in range(2):
        fault = raises(ChannelClosedError, lambda: pair.right.receive(SOON))
        equal(fault.by, "the peer", "closed by")


def a_closed_channel_refuses_everything(pair: ChannelPair) -> None:
    """`close`, and `shutdown` after it, may be repeated; `send` and `receive` raise."""
    for end in (pair.left.close, pair.left.close, pair.left.shutdown):
        end()
    for call in (_sends(pair.left), lambda: pair.left.receive(SOON)):
        equal(raises(ChannelClosedError, call).by, "this side", "closed by")


def every_fault_is_the_packages_own(pair: ChannelPair) -> None:
    """A send to a closed peer raises a `TransportError` with a category."""
    pair.right.close()
    fault = raises(TransportError, partial(_send_much, pair.left, _MOMENT))
    equal(bool(fault.category), True, "a category")


def _sends(end: ChannelEnd) -> Callable[[], None]:
    return partial(end.send, BATCH, b"", b"", SOON)


def _send_much(end: ChannelEnd, timeout: float | None) -> None:
    for _ in range(_MOST_IN_FLIGHT) if timeout is not None else count():
        end.send(BATCH, b"", bytes(_LARGEST_PAYLOAD), timeout)


CHANNEL_CLAIMS: Final = (
    what_is_sent_arrives_as_it_was,
    any_buffer_is_a_payload,
    a_payload_is_free_when_send_returns,
    order_is_kept_both_ways_at_once,
    what_several_threads_send_stays_whole,
    each_end_knows_the_other,
    what_is_too_large_is_not_sent,
    a_frame_of_the_handshake_is_refused,
    a_receive_that_ran_out_of_time_lost_nothing,
    a_time_limit_may_be_of_any_length,
    a_send_that_nobody_reads_ends,
    shutdown_wakes_a_receiver,
    shutdown_wakes_a_sender,
    the_peers_end_wakes_a_sender,
    what_was_sent_before_the_end_is_received,
    a_closed_channel_refuses_everything,
    every_fault_is_the_packages_own,
)
"""The promises of `SecureChannel`; name and docstring of each function state its claim."""
