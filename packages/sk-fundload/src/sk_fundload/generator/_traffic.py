"""The ordinary traffic: customers load funds over 45 days that span the end of a year."""

from __future__ import annotations

import random
from collections import deque
from datetime import date
from typing import Final

from sk_fundload.generator._attempt import DAY, Attempt
from sk_fundload.generator._identities import Identities

START: Final = (date(1999, 12, 6).toordinal() - 1) * DAY  # a Monday
SPAN: Final = 45 * DAY


class Traffic:
    """Generates attempts one by one, nearly all in the order of time.

    There is one customer per 50 attempts, so that a customer makes about one attempt a day for any
    number of records. 15 % of the attempts are by a recent customer, and 2 % repeat an id, half of
    them with all other fields unchanged.
    """

    def __init__(self, rng: random.Random, identities: Identities, records: int) -> None:
        self._random, self._identities = rng.random, identities
        self._customers = max(50, records // 50)
        self._step = SPAN / records
        self._given = 0
        self._recent: deque[str] = deque(["1"], maxlen=20)
        self._past: deque[Attempt] = deque(maxlen=2_000)

    @property
    def now(self) -> int:
        """The second that the traffic has reached."""
        return START + int(self._given * self._step)

    def attempt(self) -> Attempt:
        """Return the next attempt."""
        random = self._random
        second = self.now
        self._given += 1
        kind = random()
        if kind < 0.02 and self._past:
            old = self._past[int(random() * len(self._past))]
            return old if kind < 0.01 else old._replace(cents=self._cents(), second=second)
        if kind < 0.05:  # some come late, some early
            second += int((random() - 0.7) * 4 * DAY)
        if kind < 0.17:
            customer = self._recent[int(random() * len(self._recent))]
        else:
            customer = str(1 + int(random() * self._customers))
        self._recent.append(customer)
        attempt = Attempt(self._identities.new_id(), customer, self._cents(), second)
        self._past.append(attempt)
        return attempt

    def _cents(self) -> int:
        kind, where = self._random(), self._random()
        if kind < 0.70:
            return 1_00 + int(where * 2_499_00)
        if kind < 0.95:
            return 2_500_00 + int(where * 3_000_00)
        return 4_800_00 + int(where * 5_700_00)
