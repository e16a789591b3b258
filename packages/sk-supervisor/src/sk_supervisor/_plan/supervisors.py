"""The supervisor of each bootstrap mode: built in, or provided by another package."""

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
#: The mode that runs the nodes in this process.
INLINE: Final = "inline"
#: The mode that runs each group in processes of its own.
PROCESS_SUPERVISOR: Final = "process_supervisor"
#: Module and name of each built-in factory; imported only when needed.
BUILT_IN: Final[Mapping[str, tuple[str, str]]] = {
    INLINE: ("sk_supervisor._memory.supervisor", "local_supervisor"),
    PROCESS_SUPERVISOR: ("sk_supervisor._supervisor.multiprocess", "multiprocess_supervisor"),
}
#: The members of the protocol that a supervisor must have.
_ASKED: Final = tuple(name for name in vars(BootstrapSupervisor) if not name.startswith("_"))


def supervisor_of(mode: str, setup: RunSetup) -> BootstrapSupervisor:
    """Create the supervisor of ``mode`` for a run.

    :raises RuntimeLifecycleResolutionError: when no package or several packages provide it, the one
        that does cannot be imported, or its factory raises or returns something else.
    :raises KernelError: when the factory of another package raises one.
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
        problem = f"{mode!r} is not a supervisor: it has no {', '.join(lacks[:3])}"
        raise RuntimeLifecycleResolutionError(MODE_PATH, problem)
    return made


def check_mode(mode: str) -> None:
    """Check that ``mode`` has a supervisor, without importing a built-in one or creating any.

    :raises RuntimeLifecycleResolutionError: when no package or several packages provide it, or the
        one that does cannot be imported.
    """
    if mode not in BUILT_IN:
        _factory_of(mode)


def _factory_of(mode: str) -> SupervisorFactory:
    """The factory of the supervisor of ``mode``. A package cannot replace a built-in one.

    :raises RuntimeLifecycleResolutionError: as :func:`check_mode`.
    """
    if mode in BUILT_IN:
        module, name = BUILT_IN[mode]
        return cast("SupervisorFactory", getattr(import_module(module), name))
    # Imported here: a scan of all installed packages slows the start down.
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
    # The import runs another package's code: any exception is that package's fault.
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
