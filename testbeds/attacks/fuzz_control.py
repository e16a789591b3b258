"""Fuzzing what reads the bodies of the control plane's messages.

    python testbeds/attacks/fuzz_control.py [CORPUS_FOLDER] [-max_total_time=SECONDS]

Needs atheris. What is found is a crash: anything raised that is no `ControlError`, and a body that
is read, written and read again as another message.
"""

from __future__ import annotations

import sys

from fuzzing import fuzz
from sk_control import ControlError, decode, encode


def one_input(data: bytes) -> None:
    """Read one input as a body of the kind that its first byte says."""
    if not data:
        return
    try:
        message = decode(data[0] % 13, data[1:])
    except ControlError:
        return
    kind, body = encode(message)
    if decode(kind, body) != message:
        raise AssertionError(f"a {kind.label} changes by being written")


if __name__ == "__main__":
    sys.exit(fuzz(one_input, ["sk_control", "google.protobuf"]))
