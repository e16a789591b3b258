"""Process groups as a program wants them, where they are to differ from the configuration's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sk_kernel import Fault
from sk_kernel.runtime import KEY_GROUPS

from sk_supervisor.errors import RunRefusedError

if TYPE_CHECKING:
    from sk_config import Config, GroupConfig

_PATH = "runtime.platform.process_groups"


def configure_process_groups(config: Config, workers: Mapping[str, int]) -> Config:
    """The configuration with so many workers in these groups; the given one is as it was.

    Whether the graph allows them is checked where it always is, before a process is started. In
    the memory profile there are no workers to count.

    :raises RunRefusedError: with every name that is no group's, and every number that no group can
        have.
    """
    platform = config.runtime.platform
    known = ", ".join(group.name for group in platform.process_groups)
    unknown = workers.keys() - {group.name for group in platform.process_groups}
    faults = [Fault(_PATH, "unknown_group", f"one of {known}", name) for name in unknown]
    groups = []
    for index, group in enumerate(platform.process_groups):
        try:
            groups.append(_with_workers(group, workers.get(group.name, group.workers)))
        except ValueError:  # it is the model's own
            path, got = f"{_PATH}[{index}].workers", repr(workers[group.name])
            faults.append(Fault(path, "bad_value", f"1 to {KEY_GROUPS} workers", got))
    if faults:
        raise RunRefusedError(faults)
    platform = platform.model_copy(update={"process_groups": tuple(groups)})
    runtime = config.runtime.model_copy(update={"platform": platform})
    return config.model_copy(update={"runtime": runtime})


def _with_workers(group: GroupConfig, count: int) -> GroupConfig:
    return type(group).model_validate({**dict(group), "workers": count})
