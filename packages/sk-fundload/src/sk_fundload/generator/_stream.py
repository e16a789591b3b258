"""The generated stream: traffic, scenes and unreadable lines, mixed by a seed, in blocks."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

from sk_fundload.generator._attempt import DAY, plain_line, varied_line
from sk_fundload.generator._dirt import BLANK, UNREADABLE, longest_lines
from sk_fundload.generator._identities import Identities
from sk_fundload.generator._scenes import SCENES, Stage
from sk_fundload.generator._traffic import Traffic

T = TypeVar("T")

_BLOCK: Final = 1_000
_BOM: Final = b"\xef\xbb\xbf"
_LONG_EVERY: Final = 100_000


def generate(records: int, seed: int, *, dirty: bool = False) -> Iterator[bytes]:
    """Yield fund-load input in blocks; the same arguments produce the same bytes.

    The input has ``records`` lines that each produce a line of output. With ``dirty`` some of these
    are unreadable, there are blank lines in addition, line ends differ, the input begins with a
    byte order mark, and the last line has no line end. 2 000 records contain a line of nearly every
    kind, and every reason to decline, for either rule set; 10 002 or more also contain the longest
    line that is read, and the shortest that is too long.
    """
    rng = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    lines = _lines(rng, records, dirty=dirty)
    if not dirty:
        while block := list(islice(lines, _BLOCK)):
            yield b"\n".join(block) + b"\n"
        return
    yield _BOM
    ended = b""
    for line in lines:
        yield ended + line
        ended = b"\r\n" if rng.random() < 0.1 else b"\n"
        while rng.random() < 0.005:
            ended += rng.choice(BLANK) + b"\n"


def _lines(rng: random.Random, records: int, *, dirty: bool) -> Iterator[bytes]:
    identities = Identities(rng, records)
    traffic = Traffic(rng, identities, max(records, 1))
    stage = Stage(rng, identities)
    scenes = _Deck(rng, SCENES)
    dirt = _Deck(rng, UNREADABLE)
    waiting: deque[str] = deque()
    # Until each deck was dealt once its cards come often, depending on the length; then rarely.
    eager = min(0.3, 0.01 + 1_000 / max(records, 1))
    longest_at = rng.randrange(2_000, _LONG_EVERY // 10) if dirty else -1
    for number in range(records):
        chance = rng.random()
        if dirty and 0 <= number % _LONG_EVERY - longest_at < 2:
            just_fits, too_long = longest_lines(identities.new_id())
            yield too_long if number % _LONG_EVERY == longest_at else just_fits
        elif dirty and chance < (0.02 if dirt.dealt_once else eager):
            yield dirt.deal()
        elif waiting and chance > 0.5:
            yield waiting.popleft().encode()
        elif not waiting and chance > (0.995 if scenes.dealt_once else 1 - eager):
            monday = traffic.now - traffic.now % (7 * DAY)
            waiting.extend(scenes.deal()(stage, monday))
            yield waiting.popleft().encode()
        elif 0.35 < chance < 0.37:
            yield varied_line(traffic.attempt(), rng).encode()
        else:
            yield plain_line(traffic.attempt()).encode()


class _Deck(Generic[T]):
    """Deals all its cards in random order, then all again in a new order."""

    def __init__(self, rng: random.Random, cards: Sequence[T]) -> None:
        self._rng, self._cards = rng, cards
        self._left: list[T] = []
        self._shuffles = 0

    @property
    def dealt_once(self) -> bool:
        """Whether every card was dealt at least once."""
        return self._shuffles > 1 or (self._shuffles == 1 and not self._left)

    def deal(self) -> T:
        """Return the next card."""
        if not self._left:
            self._left = self._rng.sample(self._cards, len(self._cards))
            self._shuffles += 1
        return self._left.pop()
