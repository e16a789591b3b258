"""The spec of a node, read from its signature."""

from __future__ import annotations

import inspect
from typing import Any

from sk_kernel._declare.declaring import NO_FUNCTION
from sk_kernel._declare.signature import Wants, constructor, hints_of, payload_parameter, wants
from sk_kernel._declare.specs import Emission, NodeSpec
from sk_kernel._declare.types import consumed, consumed_several, emission, gives_each, returned
from sk_kernel.errors import DefinitionError


def node_spec(
    name: str, target: Any, stage: str | None, tags: frozenset[str], runner: str | None
) -> NodeSpec:
    """Return the spec of a node function, coroutine function or class.

    :raises DefinitionError: when its annotations do not say what a graph must know.
    """
    is_class = isinstance(target, type)
    call = target.__call__ if is_class else target
    if not inspect.isfunction(call):
        needs = "a class needs a __call__ method" if is_class else NO_FUNCTION
        raise DefinitionError("node", name, needs)
    annotation, further = payload_parameter("node", name, target, "__call__" if is_class else None)
    asked = wants("node", name, call, further)
    context = asked.context
    finish = process_batch = None
    if is_class:
        asked = _of_class(name, target, asked)
        _check_states(name, target)
        finish = getattr(target, "finish", None)
        process_batch = getattr(target, "process_batch", None)
    spec = NodeSpec(
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
        processes_batches=process_batch is not None,
    )
    if process_batch is not None:
        _check_process_batch(spec, process_batch)
    return spec


def _of_class(name: str, cls: type, call: Wants) -> Wants:
    if call.settings or call.injected:
        raise DefinitionError("node", name, "__call__ takes the payload and a Context only")
    asked = constructor("node", name, cls)
    if asked.context:
        raise DefinitionError("node", name, "a Context belongs to __call__, not __init__")
    return asked


def _check_states(name: str, cls: type) -> None:
    """Reject a plain method ``states``: it is called before there is an instance."""
    if inspect.isfunction(inspect.getattr_static(cls, "states", None)):
        problem = "states must be a class method or a static one: write @classmethod"
        raise DefinitionError("node", name, problem)


def _rank(cls: Any, method: str) -> int:
    """Return the position in the method resolution order of the class that defines a method."""
    return next(rank for rank, base in enumerate(cls.__mro__) if method in vars(base))


def _finish(name: str, finish: Any) -> Emission:
    if not inspect.isfunction(finish) or len(inspect.signature(finish).parameters) != 1:
        raise DefinitionError("node", name, "finish must be a method without parameters")
    return returned("node", name, finish, hints_of("node", name, finish))


def _check_process_batch(spec: NodeSpec, method: Any) -> None:
    """Check that ``process_batch`` takes and returns lists of what ``__call__`` does."""
    name = spec.name
    if _rank(spec.target, "__call__") < _rank(spec.target, "process_batch"):
        problem = "overrides __call__ and inherits process_batch: override both, or set it to None"
        raise DefinitionError("node", name, problem)
    plain = inspect.isfunction(method) and not (
        inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    )
    if not plain or spec.is_async:
        raise DefinitionError("node", name, "process_batch must be a plain method, as __call__")
    if spec.context_parameter or spec.finish or spec.emits.many:
        problem = "process_batch is for a node without Context, finish and lists of payloads"
        raise DefinitionError("node", name, problem)
    if not spec.emits.types:
        raise DefinitionError("node", name, "process_batch is for a node that gives payloads")
    annotation, further = payload_parameter("node", name, spec.target, "process_batch")
    if further:
        raise DefinitionError("node", name, "process_batch takes the payloads only")
    takes = consumed_several("node", name, annotation)
    returns = hints_of("node", name, method).get("return")
    gives, own = emission("node", name, returns), spec.emits
    same = (gives.optional, gives.enveloped) == (own.optional, own.enveloped)
    if not (gives.many and same and gives_each(returns)) or set(gives.types) != set(own.types):
        problem = f"process_batch must return list[{own}], one for each payload"
        raise DefinitionError("node", name, problem)
    if set(takes) != set(spec.consumes):
        names = " | ".join(payload.name for payload in spec.consumes)
        raise DefinitionError("node", name, f"process_batch must take Sequence[{names}]")
