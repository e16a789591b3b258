"""The decorators of the public interface. They record a spec and return the object unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from sk_kernel._adapter_specs import sink_spec, source_spec
from sk_kernel._nodes import node_spec
from sk_kernel._signature import constructor, constructor_parameters
from sk_kernel._specs import SPEC_ATTRIBUTE, ServiceSpec, StateSpec
from sk_kernel.errors import DefinitionError

C = TypeVar("C", bound=Callable[..., Any])
K = TypeVar("K", bound=type)


def _label(what: str, name: str | None, target: Any, *, only_class: bool = False) -> str:
    """The given name, a function's own name, or a class's in snake case."""
    own = getattr(target, "__name__", None)
    if own is None or (only_class and not isinstance(target, type)):
        wanted = "a class" if only_class else "a function or a class"
        raise DefinitionError(what, name or repr(target), f"must be {wanted}")
    if only_class or not isinstance(target, type):
        return name or str(own)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", own)
    return name or words.lower()


def _declared(target: C, spec: Any) -> C:
    try:
        setattr(target, SPEC_ATTRIBUTE, spec)
    except (TypeError, AttributeError) as error:
        label = f"{target.__module__}.{target.__qualname__}"
        raise DefinitionError("object", label, "cannot be declared: it is not yours") from error
    return target


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

    ``stage``, ``tags`` and ``runner`` are what a process group can select nodes by.

    :raises DefinitionError: when the annotations do not say all of this.
    """

    def declare(target: C) -> C:
        label = _label("node", name, target)
        return _declared(target, node_spec(label, target, stage, frozenset(tags), runner))

    return declare if target is None else declare(target)


def state(*, key: str | None) -> Callable[[K], K]:
    """Declare a state: a class that the kernel makes, without arguments, and injects.

    Nodes that share one are a *state unit*: each record passes the whole unit before the next one
    enters, and the unit is never spread over processes. ``key`` names the attribute of the consumed
    payloads that the state is partitioned by; ``None`` says that it is global.

    :raises DefinitionError: when the class cannot be made without arguments.
    """

    def declare(cls: K) -> K:
        label = _label("state", None, cls, only_class=True)
        parameters, _ = constructor_parameters(cls)
        required = [
            p.name
            for p in parameters
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        if required:
            raise DefinitionError("state", label, f"needs arguments: {', '.join(required)}")
        return _declared(cls, StateSpec(cls, key))

    return declare


def service(*, provides: Iterable[type] = ()) -> Callable[[K], K]:
    """Declare a service: one instance a process, injected by its class or a type it provides.

    The parameters of its ``__init__`` are services; a state belongs to nodes alone.

    :raises DefinitionError: when one of them is not annotated with one class.
    """

    def declare(cls: K) -> K:
        label = _label("service", None, cls, only_class=True)
        asked = constructor("service", label, cls)
        if asked.settings or asked.context:
            raise DefinitionError("service", label, "a service has no settings and no Context")
        return _declared(cls, ServiceSpec(cls, (cls, *provides), asked.injected))

    return declare


def source(
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
) -> Callable[[C], C]:
    """Declare a source: a class with the methods of :class:`Source`, or a generator function.

    A generator function takes its settings and gives payloads one by one. A class may have
    ``decode(raw) -> list[T]``, run once a batch on what ``read`` gave; ``bridge`` is the name that
    this step has in the graph.

    :raises DefinitionError: when a method or an annotation is missing.
    """

    def declare(target: C) -> C:
        label = _label("source", name, target)
        return _declared(target, source_spec(label, target, bridge, stage, frozenset(tags)))

    return declare


def sink(
    *,
    name: str | None = None,
    bridge: str | None = None,
    stage: str | None = None,
    tags: Iterable[str] = (),
) -> Callable[[C], C]:
    """Declare a sink: a class with the methods of :class:`Sink`, or a function of one payload.

    A class may have ``encode(payloads) -> chunk``, run once a batch before ``write(chunk)``;
    ``bridge`` is the name that this step has in the graph.

    :raises DefinitionError: when a method or an annotation is missing.
    """

    def declare(target: C) -> C:
        label = _label("sink", name, target)
        return _declared(target, sink_spec(label, target, bridge, stage, frozenset(tags)))

    return declare
