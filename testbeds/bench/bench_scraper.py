"""Asking a run for its metrics over HTTP once a second, as a Prometheus server does less often."""

from __future__ import annotations

import http.client
import socket
from typing import Final

from bench_watch import Watch

EVERY_SECONDS: Final = 1.0
_UNTIL_IT_LISTENS: Final = 0.05
_PATIENCE_SECONDS: Final = 5.0
_A_METRIC: Final = b"sk_records_in_total"


class Scraper(Watch):
    """Asks while it is entered; ``pages`` is how many it was given."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.pages = 0

    def look_until_done(self) -> None:
        """See the base."""
        wait = 0.0
        while not self.done.wait(wait):
            given = _asked(self._port)
            self.pages += given
            wait = EVERY_SECONDS if given else _UNTIL_IT_LISTENS


def free_port() -> int:
    """Give a port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _asked(port: int) -> bool:
    """Whether there was a page; a run does not listen yet at its start, and no more at its end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", "/metrics")
        reply = connection.getresponse()
        return reply.status == http.client.OK and _A_METRIC in reply.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
