"""The decorators of the public interface. They record a spec and return the object unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from sk_kernel._declare.adapter_specs import sink_spec, source_spec
from sk_kernel._declare.declaring import (
    check_class,
    check_flag,
    check_key,
    check_words,
    declared,
    label_of,
    tags_of,
)
from sk_kernel._declare.gathering import declaring
from sk_kernel._declare.nodes import node_spec
from sk_kernel._declare.services import service_spec
from sk_kernel._declare.specs import StateSpec
from sk_kernel._declare.state_class import check_state_class

C = TypeVar("C", bound=Callable[..., Any])
K = TypeVar("K", bound=type)


@overload
def node(target: C, /) -> C: ...
@overload
def node(
    *,
    name: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
    runner: str | None = None,
) -> Callable[[C], C]: ...
def node(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
    runner: str | None = None,
) -> Any:
    """Declare a node: a function, a coroutine function, or a class with ``__call__``.

    The annotation of the first parameter is the type that the node consumes (``A | B``: either).
    The return annotation is what it emits:

    - ``T``: one payload; ``A | B``: one payload of either type;
    - ``T | None``: one payload or none;
    - ``list[T]``, or another sequence or iterator: any number. All of them exist before the first
      goes on.

    A payload that several nodes consume is one object: nodes must not change it. ``Envelope[T]`` in
    place of ``T`` allows an :class:`Envelope` around the payload.

    Further parameters of the function, or of the class's ``__init__``, are injected by their class:
    states, services, and the node's settings as the parameter ``settings``. A :class:`Context` is a
    parameter of the function or of ``__call__``. A parameter with ``T | None`` or a default is
    optional: nothing need provide it.

    A class may have these methods in addition:

    - ``states(settings)``, or ``states()`` if it has no settings: a class method that returns the
      states that the node uses with these settings.
    - ``finish()``: called once at the end of input, after all records and after the ``finish()`` of
      every node that feeds it. Its return value is emitted.
    - ``process_batch(payloads) -> list[T]``: a faster way for many payloads. For each payload, in
      order, it returns what ``__call__`` returns for it. It is used only if the node has no state,
      and not for every payload. If it raises, its payloads go through ``__call__`` one by one, so
      that a failure belongs to one record.

    ``stage``, ``tags`` and ``runner`` are attributes by which a process group selects nodes.

    :raises DefinitionError: when an annotation is missing or does not follow these rules.
    """

    def declare(target: C) -> C:
        with declaring(target):
            check_words("node", target, name=name, stage=stage, runner=runner)
            label = label_of("node", name, target)
            own = tags_of("node", target, tags)
            declared(target, node_spec(label, target, stage, own, runner))
        return target

    return declare if target is None else declare(target)


@overload
def state(*, key: str) -> Callable[[K], K]: ...
@overload
def state(*, key: None) -> Callable[[K], K]: ...
def state(*misplaced: Any, key: Any = ...) -> Any:
    """Declare a state: a class that the kernel instantiates without arguments, and injects.

    Nodes that share a state are a *state unit*: each record passes through the whole unit before
    the next one enters, and the unit is never spread over processes. ``key`` is the name of the
    attribute of the consumed payloads by which the state is partitioned; ``None`` makes the state
    global.

    If a group has several workers, each has an instance of its own, for the keys that are routed to
    it. Therefore a node may use only the entry of its record's key: the number of entries, or an
    operation on all entries, would depend on the number of workers.

    :raises DefinitionError: when the class cannot be instantiated without arguments, has a mutable
        class attribute that all instances would share, or no ``key`` is given.
    """
    bare = next((each for each in misplaced if isinstance(each, type)), None)
    if bare is not None:
        with declaring(bare):
            check_key(bare, misplaced, key)
        return bare

    def declare(cls: K) -> K:
        with declaring(cls):
            check_class("state", cls)
            check_key(cls, misplaced, key)
            check_state_class(cls.__name__, cls)
            declared(cls, StateSpec(cls, key))
        return cls

    return declare


@overload
def service(target: K, /) -> K: ...
@overload
def service(*, name: str | None = None, provides: Iterable[type] = ()) -> Callable[[K], K]: ...
def service(
    target: Any = None, /, *, name: str | None = None, provides: Iterable[type] = ()
) -> Any:
    """Declare a service: one instance per process, injected by its class or a type it provides.

    It is created when the first node, source or sink that asks for it is created; no event loop
    runs then. The parameters of its ``__init__`` are other services, and its settings as the
    parameter ``settings``. A service cannot ask for a state.

    A class may have a class method or static method ``check(settings)``, or ``check()`` if it has
    no settings, that raises :class:`~sk_kernel.errors.CheckError`. It is called before anything is
    started, if something in the graph asks for the service.

    A class may have ``close()``, a plain method or a coroutine. It is called once at the end of the
    run, however it ends, after all nodes, the source and the sink; the service that was created
    last is closed first. A coroutine runs in the event loop of the nodes. An exception of ``close``
    is logged as a warning. If a node or an adapter cannot be created, the memory profile closes the
    services that it has created; a worker process does not. ``close`` is not called if the process
    is killed.

    :raises DefinitionError: when a parameter is not annotated with one class, or ``check`` or
        ``close`` cannot be called as described.
    """

    def declare(cls: K) -> K:
        with declaring(cls):
            check_words("service", cls, name=name)
            check_class("service", cls)
            label = label_of("service", name, cls)
            declared(cls, service_spec(label, cls, provides))
        return cls

    return declare if target is None else declare(target)


@overload
def source(target: C, /) -> C: ...
@overload
def source(
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
    unbounded: bool = False,
) -> Callable[[C], C]: ...
def source(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
    unbounded: bool = False,
) -> Any:
    """Declare a source: a class with the methods of :class:`Source`, or a generator function.

    A generator function takes its settings as a parameter and yields payloads. A class may have
    ``decode(raw) -> list[T]``, which is called once per batch with the result of ``read``;
    ``bridge`` is the name of this step in the graph.

    ``unbounded`` declares that the source has no end of its own (a socket, a queue). A stop ends
    such a source, and its run is complete: nodes finish and the sink commits. If a stop interrupts
    any other source, the run aborts the sink. A forced stop or a failure aborts the sink for every
    source.

    :raises DefinitionError: when a method or an annotation is missing.
    """

    def declare(target: C) -> C:
        with declaring(target):
            check_words("source", target, name=name, bridge=bridge, stage=stage)
            label = label_of("source", name, target)
            check_flag("source", target, "unbounded", unbounded)
            own = tags_of("source", target, tags)
            spec = source_spec(label, target, bridge, stage, own, unbounded=unbounded)
            declared(target, spec)
        return target

    return declare if target is None else declare(target)


@overload
def sink(target: C, /) -> C: ...
@overload
def sink(
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
) -> Callable[[C], C]: ...
def sink(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
) -> Any:
    """Declare a sink: a class with the methods of :class:`Sink`, or a function of one payload.

    A class may have ``encode(payloads) -> chunk``, which is called once per batch before
    ``write(chunk)``; ``bridge`` is the name of this step in the graph.

    :raises DefinitionError: when a method or an annotation is missing.
    """

    def declare(target: C) -> C:
        with declaring(target):
            check_words("sink", target, name=name, bridge=bridge, stage=stage)
            label = label_of("sink", name, target)
            own = tags_of("sink", target, tags)
            declared(target, sink_spec(label, target, bridge, stage, own))
        return target

    return declare if target is None else declare(target)
