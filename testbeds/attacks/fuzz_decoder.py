"""Fuzzing what reads bytes from a data port: decoder, handshake, verifier.

    python testbeds/attacks/fuzz_decoder.py [CORPUS_FOLDER] [-max_total_time=SECONDS]

Needs atheris. What is found is a crash: anything raised that is no `TransportError`, a decoder that
gives other frames or another fault when the bytes come in other pieces, and anything let in.
"""

from __future__ import annotations

import sys

from fuzzing import fuzz
from insider_data import LIMITS, Insider
from sk_transport import FrameDecoder, TransportError

_INSIDER = Insider()


def one_input(data: bytes) -> None:
    """Feed one input, whole and in pieces, and offer each frame of it as a HELLO."""
    whole = _read(data, len(data) or 1)
    if _read(data, data[0] % 64 + 1 if data else 1) != whole:
        raise AssertionError("the decoder depends on how its bytes come")
    for raw in whole[0]:
        if _INSIDER.greeted(raw) == "accepted":
            raise AssertionError("a stranger was let in")


def _read(data: bytes, size: int) -> tuple[list[bytes], str]:
    decoder = FrameDecoder(LIMITS)
    frames: list[bytes] = []
    try:
        for start in range(0, len(data), size):
            frames += [bytes(frame.raw) for frame in decoder.feed(data[start : start + size])]
        decoder.finish()
    except TransportError as fault:
        return frames, repr(fault)
    return frames, ""


if __name__ == "__main__":
    sys.exit(fuzz(one_input, ["sk_transport", "insider_data"]))
