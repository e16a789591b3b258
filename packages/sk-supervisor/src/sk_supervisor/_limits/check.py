"""Rejecting a run that exceeds a limit of the system, before any process is started."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sk_supervisor._limits.need import need_of, shortage
from sk_supervisor._limits.read import file_limits, processors, task_limits
from sk_supervisor.errors import SystemLimitError

if TYPE_CHECKING:
    from sk_config import GroupConfig


def check_room(groups: Collection[GroupConfig]) -> None:
    """Check that the limits of the system allow the workers of these groups and their supervisor.

    :raises SystemLimitError: when a limit leaves less than they need.
    """
    need = need_of(sum(group.workers for group in groups), processors())
    for needed, limits in ((need.tasks, task_limits(need.tasks)), (need.files, file_limits())):
        if short := shortage(needed, limits):
            raise SystemLimitError([group.name for group in groups], short)
