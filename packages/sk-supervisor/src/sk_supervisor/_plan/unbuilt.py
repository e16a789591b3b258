"""Faults of an application that cannot be built, and those of its placement that are known then."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sk_config import origin_of
from sk_kernel import DiscoveryError, Fault, KernelError, PreflightError
from sk_kernel.runtime import SINK, SOURCE, Catalogue

from sk_supervisor._plan.placement import unknown_faults
from sk_supervisor._plan.supervisors import INLINE

if TYPE_CHECKING:
    from sk_config import Config


def unbuilt_faults(config: Config, error: KernelError, catalogue: Catalogue | None) -> list[Fault]:
    """The faults that prevented the build, and a fault for each unknown name in process groups.

    :param catalogue: what the modules declare; None if discovery failed.
    """
    unknown = [] if catalogue is None else _unknown_vertices(config, catalogue)
    several = (error, *getattr(error, "further", ()))
    faults = [fault for each in several for fault in _faults_of(each, config)]
    return [*faults, *unknown]


def _faults_of(error: KernelError, config: Config) -> Iterable[Fault]:
    if isinstance(error, PreflightError):
        return error.faults
    where = _where_modules_are(error, config) if isinstance(error, DiscoveryError) else ""
    return [Fault("runtime.discovery_modules", "discovery", "", f"{error}{where}")]


def _unknown_vertices(config: Config, catalogue: Catalogue) -> list[Fault]:
    platform = config.runtime.platform
    if platform.bootstrap.mode == INLINE:
        return []
    adapters = (*catalogue.sources.values(), *catalogue.sinks.values())
    bridges = (adapter.bridge for adapter in adapters if adapter.bridge)
    return unknown_faults([SOURCE, *catalogue.nodes, SINK, *bridges], platform.process_groups)


def _where_modules_are(error: DiscoveryError, config: Config) -> str:
    """A hint if the module itself, or a package that contains it, was not found; else empty."""
    missing = error.__cause__
    if not isinstance(missing, ModuleNotFoundError):
        return ""
    if not (missing.name and f"{error.module}.".startswith(f"{missing.name}.")):
        return ""
    said = ", neither in the current folder nor among what is installed"
    folder = os.path.dirname(origin_of(config))
    beside = os.path.join(folder, error.module.partition(".")[0])
    if folder and (os.path.isdir(beside) or os.path.isfile(f"{beside}.py")):
        said += f" (it lies beside the configuration: run sk in {folder}, or set PYTHONPATH to it)"
    return said
