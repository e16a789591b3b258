"""Dependency injection: one container a process, resolving by class."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sk_kernel._application.closing import Closing, warn_of_close
from sk_kernel._application.forked import OwnProcess
from sk_kernel._declare.specs import Parameter, ServiceSpec, StateSpec
from sk_kernel.errors import KernelError, ResolutionError

if TYPE_CHECKING:
    import asyncio


class Container:
    """Makes and keeps the services and states of one process.

    A service is made once, when first asked for, its ``__init__`` parameters resolved the same way;
    so is a state, without arguments. ``settings`` gives those of a service: one instance, or none.
    ``provide`` puts an instance in from outside. :meth:`close` closes the services that were made.
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
        #: The services that were made here, each with its name, in that order, until closed.
        self._open: list[tuple[str, Any]] = []
        self._closing = Closing()

    def provide(self, wanted: type, instance: object) -> None:
        """Answer ``wanted`` with ``instance``, over any declared service."""
        self._instances[wanted] = instance

    def provides(self, wanted: type) -> bool:
        """Whether :meth:`resolve` has an answer for ``wanted``."""
        return wanted in self._instances or wanted in self._makers

    def resolve(self, wanted: type, owner: str = "the application") -> Any:
        """The instance for ``wanted``.

        :raises ResolutionError: when nothing provides it, its making is circular, or raised.
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
        """Keyword arguments for ``parameters``.

        One that need not be filled, and for whose class there is nothing, or which is not
        ``wanted``, is None, or left out where it has a default of its own.

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
        """Close the services made here that have a ``close``, the last one first.

        One that is a coroutine runs in ``loop``, or in a loop of its own where there is none. What
        one raises is warned of by the logger ``sk_kernel``, and the others are closed all the same:
        the work is done by then. What was provided from outside is left to whoever did that.
        """
        while self._open:
            name, service = self._open.pop()
            error = self._closing.call(partial(_close, service, loop))
            if isinstance(error, KeyboardInterrupt):
                raise error
            if error is not None:  # sys.exit() and a cancelled task, too
                warn_of_close(f"service {name}", error)

    def leave(self) -> None:
        """Break out of a service's ``close`` that does not return, if one is being closed.

        Only for a signal's handler, in the thread of :meth:`close`. It is warned of as one that has
        raised, and the others are closed.
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
    import asyncio  # here: most runs have no coroutine
    from concurrent.futures import ThreadPoolExecutor

    if asyncio._get_running_loop() is None:
        asyncio.run(ending)
    else:  # a notebook's, say: beside a loop that is running here no other can
        with ThreadPoolExecutor(1) as aside:
            aside.submit(_run_here, ending).result()


def _run_here(ending: Coroutine[Any, Any, object]) -> None:
    import asyncio

    with OwnProcess():  # a process that it forks has this thread only
        asyncio.run(ending)
