"""The spec of a node, read from its signature."""

from __future__ import annotations

import inspect
from typing import Any

from sk_kernel._signature import Wants, constructor, hints_of, payload_parameter, wants
from sk_kernel._specs import Emission, NodeSpec
from sk_kernel._types import consumed, returned
from sk_kernel.errors import DefinitionError


def node_spec(
    name: str, target: Any, stage: str | None, tags: frozenset[str], runner: str | None
) -> NodeSpec:
    """The spec of a node function, coroutine function or class.

    :raises DefinitionError: when its annotations do not say what a graph must know.
    """
    is_class = isinstance(target, type)
    call = target.__call__ if is_class else target
    if not inspect.isfunction(call):
        needs = "a class needs a __call__ method" if is_class else "must be a function or a class"
        raise DefinitionError("node", name, needs)
    annotation, further = payload_parameter("node", name, target, "__call__" if is_class else None)
    asked = wants("node", name, call, further)
    context = asked.context
    if is_class:
        asked = _of_class(name, target, asked)
    finish = getattr(target, "finish", None) if is_class else None
    return NodeSpec(
        name=name,
        target=target,
        is_class=is_class,
        consumes=consumed("node", name, annotation),
        emits=returned("node", name, call, hints_of("node", name, call)),
        finish=_finish(name, finish) if finish else None,
        is_async=inspect.iscoroutinefunction(call),
        finish_is_async=inspect.iscoroutinefunction(finish),
        context_parameter=context,
        settings_model=asked.settings,
        parameters=asked.injected,
        stage=stage,
        tags=tags,
        runner=runner,
    )


def _of_class(name: str, cls: type, call: Wants) -> Wants:
    if call.settings or call.injected:
        raise DefinitionError("node", name, "__call__ takes the payload and a Context only")
    asked = constructor("node", name, cls)
    if asked.context:
        raise DefinitionError("node", name, "a Context belongs to __call__, not __init__")
    return asked


def _finish(name: str, finish: Any) -> Emission:
    if not inspect.isfunction(finish) or len(inspect.signature(finish).parameters) != 1:
        raise DefinitionError("node", name, "finish must be a method without parameters")
    return returned("node", name, finish, hints_of("node", name, finish))
