"""The identity of a worker."""

from __future__ import annotations

from sk_control import _fields as check
from sk_control._value import value


@value(frozen=True, slots=True)
class WorkerIdentity:
    """The identity of a worker process: its group, index (from 0) and incarnation (from 1).

    A restarted worker has the same group and index and the next incarnation. `worker_id` is unique
    within the control session, so it must differ between incarnations. Raises `InvalidFieldError`.
    """

    worker_id: str
    group: str
    index: int
    incarnation: int

    def __post_init__(self) -> None:
        check.name("worker_identity", "worker_id", self.worker_id)
        check.name("worker_identity", "group", self.group)
        check.integer("worker_identity", "index", self.index, 0, check.UINT32_MAX)
        check.integer("worker_identity", "incarnation", self.incarnation, 1, check.UINT32_MAX)
