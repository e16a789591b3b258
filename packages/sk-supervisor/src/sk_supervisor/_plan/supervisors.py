"""Which supervisor a mode stands for: one that is built in, or one that another package brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from sk_kernel import (
    SUPERVISORS,
    BootstrapSupervisor,
    KernelError,
    RunSetup,
    SupervisorFactory,
)

from sk_supervisor.errors import RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

MODE_PATH: Final = "runtime.platform.bootstrap.mode"
#: The mode in which this process does the work itself.
INLINE: Final = "inline"
#: The mode in which each group has processes of its own.
PROCESS_SUPERVISOR: Final = "process_supervisor"
#: Where those that are built in are: imported when one is asked for.
BUILT_IN: Final[Mapping[str, tuple[str, str]]] = {
    INLINE: ("sk_supervisor._memory.supervisor", "local_supervisor"),
    PROCESS_SUPERVISOR: ("sk_supervisor._supervisor.multiprocess", "multiprocess_supervisor"),
}
#: What a supervisor must have, of its protocol.
_ASKED: Final = tuple(name for name in vars(BootstrapSupervisor) if not name.startswith("_"))


def supervisor_of(mode: str, setup: RunSetup) -> BootstrapSupervisor:
    """The supervisor that ``mode`` stands for, made for a run.

    :raises RuntimeLifecycleResolutionError: when nothing, several packages, or one that cannot be
        imported provides it, or what is provided makes none.
    """
    factory = _factory_of(mode)
    if mode in BUILT_IN:
        return factory(setup)
    try:
        made = factory(setup)
    except KernelError:
        raise
    except Exception as error:
        problem = f"the supervisor {mode!r} cannot be made: it raised {type(error).__name__}"
        raise RuntimeLifecycleResolutionError(MODE_PATH, problem) from error
    if lacks := [name for name in _ASKED if not hasattr(made, name)]:
        problem = f"the supervisor {mode!r} is none: it lacks {', '.join(lacks[:3])}"
        raise RuntimeLifecycleResolutionError(MODE_PATH, problem)
    return made


def check_mode(mode: str) -> None:
    """See that there is a supervisor for ``mode``. A built-in one is not imported for that.

    :raises RuntimeLifecycleResolutionError: as :func:`supervisor_of`, but nothing is made.
    """
    if mode not in BUILT_IN:
        _factory_of(mode)


def _factory_of(mode: str) -> SupervisorFactory:
    """What makes the supervisor that ``mode`` stands for. A built-in one is never displaced.

    :raises RuntimeLifecycleResolutionError: when nothing, several packages, or one that cannot be
        imported provides it.
    """
    if mode in BUILT_IN:
        module, name = BUILT_IN[mode]
        return cast("SupervisorFactory", getattr(import_module(module), name))
    # The scan of all that is installed slows a start-up down: only if needed.
    from importlib.metadata import entry_points

    offered = entry_points(group=SUPERVISORS)
    found = {point.value: point for point in offered.select(name=mode)}
    if len(found) == 1:
        return _loaded(next(iter(found.values())))
    raise RuntimeLifecycleResolutionError(MODE_PATH, _why_none(mode, found, offered.names))


def _why_none(mode: str, found: Iterable[str], offered: Iterable[str]) -> str:
    known = ", ".join(sorted({*BUILT_IN, *offered}))
    providers = " and ".join(sorted(found))
    if providers:
        return f"{mode!r} is provided by {providers}: uninstall all but one"
    package = f"install the package that provides it (an entry point in the group {SUPERVISORS})"
    return f"no supervisor is named {mode!r}; there are {known}; or {package}"


def _loaded(point: EntryPoint) -> SupervisorFactory:
    # Importing runs another package's code: whatever that raises is a fault of the package.
    try:
        factory = point.load()
    except Exception as error:
        needs = error.name if isinstance(error, ImportError) else None
        raised = f"raised {type(error).__name__}"
        problem = f"needs {needs}, which cannot be imported" if needs else raised
        raise RuntimeLifecycleResolutionError(MODE_PATH, f"{point.value} {problem}") from error
    if not callable(factory):
        raise RuntimeLifecycleResolutionError(MODE_PATH, f"{point.value} makes no supervisor")
    return cast("SupervisorFactory", factory)
