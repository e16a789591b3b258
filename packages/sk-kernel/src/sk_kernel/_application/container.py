"""Dependency injection: one container per process, which resolves instances by class."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sk_kernel._declare.specs import Parameter, ServiceSpec, StateSpec
from sk_kernel._guard.closing import Closing, warn_of_close
from sk_kernel._guard.forked import OwnProcess
from sk_kernel.errors import KernelError, ResolutionError

if TYPE_CHECKING:
    import asyncio


class Container:
    """Makes and keeps the services and states of one process.

    A service is made once, when it is first asked for, and its ``__init__`` parameters are resolved
    the same way. A state is also made once, without arguments. ``settings`` returns the settings of
    a service: one instance, or an empty tuple. :meth:`provide` adds an instance from outside.
    :meth:`close` closes the services that this container made.
    """

    def __init__(
        self,
        services: Iterable[ServiceSpec] = (),
        states: Mapping[type, StateSpec] | None = None,
        settings: Callable[[ServiceSpec], tuple[Any, ...]] | None = None,
    ) -> None:
        self._makers: dict[type, ServiceSpec] = {}
        for spec in services:
            for provided in spec.provides:
                self._makers.setdefault(provided, spec)
        for cls in states or {}:
            self._makers[cls] = ServiceSpec(cls.__qualname__, cls, (cls,))
        self._settings = settings
        self._instances: dict[type, Any] = {}
        self._under_way: list[type] = []
        self._states = frozenset(states or ())
        #: The services made here and not yet closed, each with its name, in the order of creation.
        self._open: list[tuple[str, Any]] = []
        self._closing = Closing()

    def provide(self, wanted: type, instance: object) -> None:
        """Resolve ``wanted`` to ``instance``, in preference to any declared service."""
        self._instances[wanted] = instance

    def provides(self, wanted: type) -> bool:
        """Whether :meth:`resolve` has an instance, or can make one, for ``wanted``."""
        return wanted in self._instances or wanted in self._makers

    def resolve(self, wanted: type, owner: str = "the application") -> Any:
        """Return the instance for ``wanted``, and make it if needed.

        :raises ResolutionError: when nothing provides it, its dependencies are circular, or its
            ``__init__`` raised.
        """
        if wanted in self._instances:
            return self._instances[wanted]
        maker = self._makers.get(wanted)
        if maker is None:
            raise ResolutionError(owner, wanted.__qualname__, "no service or state provides it")
        if maker.cls in self._under_way:
            circle = " -> ".join(c.__qualname__ for c in [*self._under_way, maker.cls])
            raise ResolutionError(owner, wanted.__qualname__, f"circular: {circle}")
        if maker.cls not in self._instances:
            self._under_way.append(maker.cls)
            try:
                made = self._instances[maker.cls] = self._make(maker)
            finally:
                self._under_way.pop()
            if maker.cls not in self._states:
                self._open.append((maker.name, made))
        self._instances[wanted] = self._instances[maker.cls]
        return self._instances[wanted]

    def arguments(
        self, parameters: Iterable[Parameter], owner: str, wanted: Callable[[type], bool]
    ) -> dict[str, Any]:
        """Return keyword arguments for ``parameters``.

        A parameter that is not required is None, or omitted if it has a default of its own, when
        nothing provides its class or its class is not ``wanted``.

        :raises ResolutionError: see :meth:`resolve`.
        """
        arguments: dict[str, Any] = {}
        for p in parameters:
            if p.required or (wanted(p.cls) and self.provides(p.cls)):
                arguments[p.name] = self.resolve(p.cls, owner)
            elif not p.defaults:
                arguments[p.name] = None
        return arguments

    def close(self, loop: asyncio.Runner | None = None) -> None:
        """Close the services made here that have a ``close``, in reverse order of creation.

        A coroutine ``close`` runs in ``loop``, or in a loop of its own if that is None. The logger
        ``sk_kernel`` logs an exception as a warning, and the other services are closed all the
        same, since the work is already done; only ``KeyboardInterrupt`` is raised. Instances
        provided from outside are not closed: they belong to the code that provided them.
        """
        while self._open:
            name, service = self._open.pop()
            error = self._closing.call(partial(_close, service, loop))
            if isinstance(error, KeyboardInterrupt):
                raise error
            if error is not None:  # sys.exit() and a cancelled task, too
                warn_of_close(f"service {name}", error)

    def leave(self) -> None:
        """Interrupt the ``close`` of a service that does not return, if one is being closed.

        Call this only from a signal handler that runs in the thread of :meth:`close`. A warning is
        logged as for a ``close`` that raised, and the other services are closed.
        """
        self._closing.leave()

    def _make(self, maker: ServiceSpec) -> Any:
        name = maker.name
        arguments = self.arguments(maker.parameters, name, lambda _: True)
        if self._settings is not None and maker.settings_model is not None:
            (arguments["settings"],) = self._settings(maker)
        try:
            with OwnProcess():
                return maker.cls(**arguments)
        except (KernelError, KeyboardInterrupt):
            raise
        except BaseException as error:
            problem = f"its __init__ raised {type(error).__name__}: {error}"
            raise ResolutionError(name, "", problem) from error


def _close(service: Any, loop: asyncio.Runner | None) -> None:
    close = getattr(service, "close", None)
    if not callable(close):
        return
    ending = close()
    if not isinstance(ending, Coroutine):
        return
    if loop is not None:
        loop.run(ending)
        return
    import asyncio  # imported here because most runs have no coroutine
    from concurrent.futures import ThreadPoolExecutor

    if asyncio._get_running_loop() is None:
        asyncio.run(ending)
    else:  # A loop runs in this thread (in a notebook, say): a second one needs another thread.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(_run_here, ending).result()


def _run_here(ending: Coroutine[Any, Any, object]) -> None:
    import asyncio

    with OwnProcess():  # a child process that it forks has only this thread
        asyncio.run(ending)
