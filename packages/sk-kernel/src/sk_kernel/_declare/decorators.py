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

    What it consumes is the annotation of its first parameter (``A | B``: either), what it emits its
    return annotation: ``T`` one payload, ``A | B`` one of several types, ``T | None`` perhaps none,
    ``list[T]`` (or another sequence or iterator) any number, which it has all made before the first
    goes on. A payload that several nodes consume is one object: nodes leave what they are given as
    it is. ``Envelope[T]`` in place of ``T`` allows an :class:`Envelope` around it.

    Further parameters, of the function or of the class's ``__init__``, are injected by their class:
    states, services, a :class:`Context` (of the function or of ``__call__``), and the node's
    settings as the parameter named ``settings``. ``T | None`` and a default say that nothing need
    provide it. A class may have a class method ``states(settings)``, or ``states()`` where it has
    none, that gives those of its states which it uses under these settings.

    A class may have ``finish()``, called once at the end of input, behind all records and behind
    the ``finish()`` of every node that feeds it; what it returns is emitted.

    A class may have ``process_batch(payloads) -> list[T]``, a faster way through many payloads: for
    each, in order, it returns what ``__call__`` returns for it. It is used where the node has no
    state, and may be left out of: each payload can come through either. Where it raises, its
    payloads go through ``__call__`` one by one, so that a failure is that of one record.

    ``stage``, ``tags`` and ``runner`` are what a process group can select nodes by.

    :raises DefinitionError: when the annotations do not say all of this.
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
    """Declare a state: a class that the kernel makes, without arguments, and injects.

    Nodes that share one are a *state unit*: each record passes the whole unit before the next one
    enters, and the unit is never spread over processes. ``key`` names the attribute of the consumed
    payloads that the state is partitioned by; ``None`` says that it is global.

    Several workers have one each, of the keys that come to them. So a node may look only at what
    belongs to the key of its record: what it does to all entries, or with how many there are, hangs
    on the number of workers.

    :raises DefinitionError: when the class cannot be made without arguments, has a list or the like
        in common for all instances, or no key is given.
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
    """Declare a service: one instance a process, injected by its class or a type it provides.

    It is made, outside of any event loop, when the first node, source or sink is made that asks for
    it. The parameters of its ``__init__`` are services, and its settings as the one named
    ``settings``; a state belongs to nodes alone.

    A class may have ``check(settings)``, or ``check()`` where it has none, a class method or a
    static one, that raises :class:`~sk_kernel.errors.CheckError` before anything is started. It is
    called where something in the graph asks for the service.

    A class may have ``close()``, a plain method or a coroutine. It is called once at the end of the
    run, however it ends, after all nodes, the source and the sink; the service that was created
    last is closed first. A coroutine runs in the event loop of the nodes. An exception of ``close``
    is logged as a warning. If a node or an adapter cannot be created, the memory profile closes the
    services that it has created; a worker process does not. ``close`` is not called if the process
    is killed.

    :raises DefinitionError: when a parameter is not annotated with one class, or ``check`` or
        ``close`` is not as it is called.
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

    A generator function takes its settings and gives payloads one by one. A class may have
    ``decode(raw) -> list[T]``, run once a batch on what ``read`` gave; ``bridge`` is the name that
    this step has in the graph.

    ``unbounded`` says that it has no end of its own (a socket, a queue): a run ends it by a stop,
    and is complete then, so that nodes finish and the sink commits. A stop cuts any other source
    short, and its run aborts the sink; so does a stop by force, or a failure, whatever the source.

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

    A class may have ``encode(payloads) -> chunk``, run once a batch before ``write(chunk)``;
    ``bridge`` is the name that this step has in the graph.

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
