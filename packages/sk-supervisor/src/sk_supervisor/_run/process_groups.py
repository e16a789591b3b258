"""Changing the number of workers in the process groups of a configuration."""

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
    """Return a configuration with these numbers of workers by group; the given one is not changed.

    Whether the graph allows them is checked later, as always before a process is started. In the
    memory profile they have no effect.

    :raises RunRefusedError: with every unknown group name, and every number that a group cannot
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
        except ValueError:  # raised by the model
            path, got = f"{_PATH}[{index}].workers", repr(workers[group.name])
            faults.append(Fault(path, "bad_value", f"1 to {KEY_GROUPS} workers", got))
    if faults:
        raise RunRefusedError(faults)
    platform = platform.model_copy(update={"process_groups": tuple(groups)})
    runtime = config.runtime.model_copy(update={"platform": platform})
    return config.model_copy(update={"runtime": runtime})


def _with_workers(group: GroupConfig, count: int) -> GroupConfig:
    return type(group).model_validate({**dict(group), "workers": count})
