"""Striking at a control port with streams of gRPC."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

from attack_model import Attack, Ending, Outcome, Strike, judged
from sk_control.testing import Stranger, StrangersStream

A = TypeVar("A")


class ControlPort:
    """A control port to be struck at. A strike ends as `category/code`, or a status of gRPC.

    `OPEN` is an end too: nothing has happened to the stream within the time.
    """

    def __init__(self, address: tuple[str, int], patience_seconds: float = 30.0) -> None:
        self._address = f"{address[0]}:{address[1]}"
        self._patience = patience_seconds

    def run(self, attack: Attack[A], strikes: Iterable[Strike]) -> Outcome:
        """Carry out an attack, over one connection."""
        return judged(attack, self.strike_all(strikes, attack.width))

    def strike_all(self, strikes: Iterable[Strike], width: int) -> Iterator[tuple[Strike, str]]:
        """Carry out strikes, `width` of them at once, and tell how each of them ended."""
        under_way: deque[tuple[Strike, StrangersStream]] = deque()
        with Stranger(self._address) as stranger:
            for strike in strikes:
                under_way.append((strike, _begun(stranger, strike)))
                if len(under_way) >= width:
                    yield self._end(*under_way.popleft())
            while under_way:
                yield self._end(*under_way.popleft())

    def _end(self, strike: Strike, stream: StrangersStream) -> tuple[Strike, str]:
        end = stream.outcome(self._patience)
        stream.close()
        return strike, end


def _begun(stranger: Stranger, strike: Strike) -> StrangersStream:
    stream = stranger.open()
    if strike.ending is Ending.WAIT:
        stream.send(strike.data)
    elif strike.ending is Ending.HALF_CLOSE:
        stream.half_close()
    return stream
