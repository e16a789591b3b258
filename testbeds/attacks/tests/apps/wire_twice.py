"""Makes the first worker's wire repeat its first batch: importing this is the fault.

What is sent again are the bytes as they were sent, from below the channel, as whoever taps a wire
would send them.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterable
from typing import Any

BATCH = 3

if sys.argv[-1].startswith("ingress"):  # the command line of a worker names it
    _sendmsg = socket.socket.sendmsg
    _done: list[bool] = []

    def _twice(self: socket.socket, buffers: Iterable[Any], *options: Any) -> int:
        data = b"".join(buffers)
        sent = _sendmsg(self, [data], *options)
        if data[5:6] == bytes([BATCH]) and sent == len(data) and not _done:
            _done.append(True)
            self.sendall(data)
            os.write(2, b"a batch was sent twice\n")
        return sent

    socket.socket.sendmsg = _twice  # type: ignore[assignment,method-assign]
