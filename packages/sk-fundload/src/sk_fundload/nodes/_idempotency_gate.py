"""Detection of duplicate ids: first occurrence, replay or conflict."""

from __future__ import annotations

from msgspec import Struct
from sk_kernel import node

from sk_fundload.domain import (
    ID_DUPLICATE_CONFLICT,
    ID_DUPLICATE_REPLAY,
    NONE,
    RetentionDays,
    day_of,
)
from sk_fundload.messages import Gated, Timed
from sk_fundload.nodes._states import FirstAttempts


class GateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of days after its first attempt that an id is known; None for ever."""

    retention_days: RetentionDays | None = None


@node(name="idempotency_gate", stage="features")
class IdempotencyGate:
    """Mark attempts whose id was seen before: as replays if they are equal, else as conflicts."""

    def __init__(self, settings: GateSettings, first: FirstAttempts) -> None:
        self._retention = settings.retention_days
        if self._retention is not None:
            first.retain(self._retention)
        self._first = first.by_id
        self._get = first.by_id.get

    def __call__(self, timed: Timed) -> Gated:
        """Determine whether the attempt is a duplicate, and store it if it is not."""
        id_, attempt = timed.id, timed.attempt
        first = self._get(id_)
        if first is None:
            self._first[id_] = attempt
            duplicate = NONE
        elif (
            first.instant == attempt.instant
            and first.cents == attempt.cents
            and first.customer_id == attempt.customer_id
        ):
            duplicate = ID_DUPLICATE_REPLAY
        elif self._retention is not None and timed.day > day_of(first.instant) + self._retention:
            self._first[id_] = attempt
            duplicate = NONE
        else:
            duplicate = ID_DUPLICATE_CONFLICT
        return Gated(timed, duplicate)
