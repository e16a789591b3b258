"""Four processes, ZeroMQ PUSH and PULL over Unix sockets, msgpack batches of 1 000 records, signed.

    python zmq_pipeline.py RULES INPUT OUTPUT REJECTS

A frame carries an HMAC-SHA256, verified at each hop, and the garbage collector is off in all four:
what one would write by hand to have the same guarantee on the wire at the best speed.
"""

from __future__ import annotations

import gc
import hmac
import multiprocessing as mp
import sys
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from typing import Any

import msgspec
import zmq
from fund_load import (
    RULE_SETS,
    Attempt,
    Decision,
    Featured,
    Features,
    Policies,
    Rules,
    Writer,
    read_attempts,
    told,
)

HIGH_WATER = 8
KEY = b"k" * 32


class Sender:
    """Sends batches, to where somebody receives already; an empty frame ends the stream."""

    def __init__(self, context: Any, address: str) -> None:
        self._socket = context.socket(zmq.PUSH)
        self._socket.set_hwm(HIGH_WATER)
        self._socket.connect(address)
        self._encode = msgspec.msgpack.Encoder().encode

    def send(self, batch: list[Any]) -> None:
        """Send a batch and its signature."""
        frame = self._encode(batch)
        self._socket.send_multipart([frame, hmac.digest(KEY, frame, "sha256")], copy=False)

    def end(self) -> None:
        """Say that nothing follows."""
        self._socket.send(b"")
        self._socket.close()


class Receiver:
    """Receives and verifies batches of one type."""

    def __init__(self, context: Any, address: str, record: type) -> None:
        self._socket = context.socket(zmq.PULL)
        self._socket.set_hwm(HIGH_WATER)
        self._socket.bind(address)
        self._decode = msgspec.msgpack.Decoder(list[record]).decode  # type: ignore[valid-type]

    def __iter__(self) -> Iterator[list[Any]]:
        while True:
            frame, *signature = self._socket.recv_multipart()
            if not frame:
                self._socket.close()
                return
            if not hmac.compare_digest(signature[0], hmac.digest(KEY, frame, "sha256")):
                raise ValueError("a frame's signature is wrong")
            yield self._decode(frame)


def ingress(source: str, to: str, up: Barrier) -> None:
    """Read lines to attempts."""
    gc.disable()
    with zmq.Context() as context:
        up.wait()
        out = Sender(context, to)
        for batch in read_attempts(source):
            out.send(batch)
        out.end()


def transform(
    make: Callable[[Rules], Callable[[Any], Any]],
    record: type,
    rules: str,
    addresses: tuple[str, str],
    up: Barrier,
) -> None:
    """Put every record through one stage."""
    gc.disable()
    stage = make(RULE_SETS[rules])
    with zmq.Context() as context:
        come = Receiver(context, addresses[0], record)
        up.wait()
        out = Sender(context, addresses[1])
        for batch in come:
            out.send([stage(record) for record in batch])
        out.end()


def egress(output: str, rejects: str, at: str, up: Barrier) -> None:
    """Write the decisions."""
    gc.disable()
    writer = Writer(output, rejects)
    with zmq.Context() as context:
        come = Receiver(context, at, Decision)
        up.wait()
        for batch in come:
            writer.write(batch)
    writer.close()


def main() -> int:
    """Run the four to their end; 1 when one of them failed."""
    rules, source, output, rejects = told()
    context = mp.get_context("spawn")
    up = context.Barrier(4)
    with tempfile.TemporaryDirectory() as folder:
        one, two, three = (f"ipc://{folder}/{number}" for number in range(3))
        processes = [
            context.Process(target=ingress, args=(source, one, up)),
            context.Process(target=transform, args=(Features, Attempt, rules, (one, two), up)),
            context.Process(target=transform, args=(Policies, Featured, rules, (two, three), up)),
            context.Process(target=egress, args=(output, rejects, three, up)),
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    return int(any(process.exitcode for process in processes))


if __name__ == "__main__":
    sys.exit(main())
