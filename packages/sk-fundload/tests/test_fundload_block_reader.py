"""A read that waits for input does not keep a signal from being heard."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from types import FrameType

from sk_fundload.adapters._block_reader import BlockReader

ROUNDS = 3
SECONDS = 20.0


def test_a_signal_that_came_just_before_the_wait_is_heard_without_more_input() -> None:
    """As `interrupt_main` has it: noted for the main thread, whose system call goes on."""
    read_end, write_end = os.pipe()
    reader, heard, missed = BlockReader(f"/dev/fd/{read_end}"), threading.Event(), []

    def handle(number: int, _: FrameType | None) -> None:
        heard.set()

    def signals() -> None:
        for _ in range(ROUNDS):
            heard.clear()
            _thread.interrupt_main(signal.SIGUSR1)
            if not heard.wait(SECONDS):
                missed.append("a signal")
                break
        reader.interrupt()

    before = signal.signal(signal.SIGUSR1, handle)
    sender = threading.Thread(target=signals)
    try:
        reader.open()
        sender.start()
        assert reader.read(1) == b""
        assert missed == []
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)
        reader.close()
        os.close(read_end)
        os.close(write_end)
