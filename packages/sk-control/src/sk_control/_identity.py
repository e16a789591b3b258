"""Who a worker is."""

from __future__ import annotations

from sk_control import _fields as check
from sk_control._value import value


@value(frozen=True, slots=True)
class WorkerIdentity:
    """One process of one place: group and index name the place, `incarnation` counts from 1.

    `worker_id` is unique within the control session and therefore holds the incarnation. Raises
    `InvalidFieldError`.
    """

    worker_id: str
    group: str
    index: int
    incarnation: int

    def __post_init__(self) -> None:
        check.name("worker_identity", "worker_id", self.worker_id)
        check.name("worker_identity", "group", self.group)
        check.whole("worker_identity", "index", self.index, 0, check.UINT32_MAX)
        check.whole("worker_identity", "incarnation", self.incarnation, 1, check.UINT32_MAX)
