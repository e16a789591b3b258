"""The specs of sources and sinks, read from their signatures."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sk_kernel._declare.signature import Wants, constructor, hints_of, payload_parameter, wants
from sk_kernel._declare.specs import Emission, SinkSpec, SourceSpec
from sk_kernel._declare.types import consumed, consumed_several, returned
from sk_kernel.errors import DefinitionError

_SOURCE_METHODS = {
    "read": "read(max_records, max_bytes), which gives what comes next, and nothing at the end",
    "interrupt": "interrupt(), by which another thread makes a read that waits return empty",
}
_SINK_METHODS = {"write": "write(chunk), which takes one batch"}
#: The methods that the runtime calls on a source and on a sink, and whether each may be a generator
#: function.
_HOOKS = {
    "source": {"read": False, "decode": True, "interrupt": False},
    "sink": {
        "encode": True,
        "write": False,
        "commit": False,
        "abort": False,
        "partial_outputs": True,
        "summary": True,
    },
}
_HOOKS_OF_BOTH = {"check": False, "open": False, "close": False}
#: The error for an asynchronous source function, with what to write instead.
_NO_ASYNC_SOURCE = (
    "cannot be async: a thread of the runtime reads it. Write a plain generator function, or a"
    " class, which runs its own event loop: loop = asyncio.new_event_loop(), and"
    " loop.run_until_complete(...) for each record, or for each read"
)


def source_spec(
    name: str,
    target: Any,
    bridge: str | None,
    stage: str | None,
    tags: frozenset[str],
    *,
    unbounded: bool,
) -> SourceSpec:
    """Return the spec of a source class or generator function.

    :raises DefinitionError: when a method or an annotation is missing.
    """
    is_class = isinstance(target, type)
    if is_class:
        _require("source", name, target, _SOURCE_METHODS)
        _require_plain("source", name, target)
        _require_limits(name, target)
        gives = _optional("source", name, target, bridge, "decode") or target.read
        asked = constructor("source", name, target)
    else:
        if inspect.isasyncgenfunction(target) or inspect.iscoroutinefunction(target):
            raise DefinitionError("source", name, _NO_ASYNC_SOURCE)
        if not inspect.isgeneratorfunction(target):
            raise DefinitionError("source", name, "must be a class or a generator function")
        if bridge:
            raise DefinitionError("source", name, "a generator function has no bridge")
        gives = target
        parameters = list(inspect.signature(target).parameters.values())
        asked = wants("source", name, target, parameters)
    payload = returned("source", name, gives, hints_of("source", name, gives))
    if not payload.many:
        raise DefinitionError("source", name, "must be annotated to give several payloads")
    # The source returns several payloads at once, but the graph gets them one by one.
    one = Emission(payload.types, payload.optional, False, payload.enveloped)
    model = _model("source", name, asked)
    return SourceSpec(
        name, target, is_class, bridge, one, model, asked.injected, stage, tags, unbounded
    )


def sink_spec(
    name: str, target: Any, bridge: str | None, stage: str | None, tags: frozenset[str]
) -> SinkSpec:
    """Return the spec of a sink class or function.

    :raises DefinitionError: when a method or an annotation is missing.
    """
    is_class = isinstance(target, type)
    if is_class:
        _require("sink", name, target, _SINK_METHODS)
        _require_plain("sink", name, target)
        if hasattr(target, "commit") != hasattr(target, "abort"):
            raise DefinitionError("sink", name, "has one of commit and abort: write both or none")
        encode = _optional("sink", name, target, bridge, "encode")
        annotation, _ = payload_parameter("sink", name, target, "encode" if encode else "write")
        types = consumed_several("sink", name, annotation)
        asked = constructor("sink", name, target)
    else:
        if not inspect.isfunction(target) or _is_no_plain(target):
            raise DefinitionError("sink", name, "must be a class or a plain function")
        if bridge:
            raise DefinitionError("sink", name, "a function has no bridge")
        annotation, further = payload_parameter("sink", name, target)
        types = consumed("sink", name, annotation)
        asked = wants("sink", name, target, further)
    model = _model("sink", name, asked)
    one = Emission(types)
    return SinkSpec(name, target, is_class, bridge, one, model, asked.injected, stage, tags)


def _require(what: str, name: str, cls: type, methods: Mapping[str, str]) -> None:
    missing = [m for m in methods if not callable(getattr(cls, m, None))]
    if missing:
        wanted = " and ".join(methods[each] for each in missing)
        raise DefinitionError(what, name, f"lacks {' and '.join(missing)}: write {wanted}")


def _require_plain(what: str, name: str, cls: type) -> None:
    """Reject coroutine and generator methods: the runtime would not await or iterate the result."""
    for method, may_yield in (_HOOKS_OF_BOTH | _HOOKS[what]).items():
        found = getattr(cls, method, None)
        if _is_no_plain(found) and not (may_yield and inspect.isgeneratorfunction(found)):
            problem = f"{method} must be a plain method: nobody awaits or iterates what it gives"
            raise DefinitionError(what, name, problem)


def _require_limits(name: str, cls: type) -> None:
    read = inspect.getattr_static(cls, "read")
    if not inspect.isfunction(read):
        return  # a descriptor of its own: its signature is not checked
    try:
        inspect.signature(read).bind("self", "max_records", "max_bytes")
    except TypeError as error:
        raise DefinitionError("source", name, "read must take max_records, max_bytes") from error


def _is_no_plain(function: Any) -> bool:
    """Return whether calling it runs none of its code: a coroutine or generator function."""
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isgeneratorfunction,
    )
    return any(is_kind(function) for is_kind in kinds)


def _optional(what: str, name: str, cls: type, bridge: str | None, method: str) -> Any:
    found = getattr(cls, method, None)
    if bridge and found is None:
        raise DefinitionError(what, name, f"bridge {bridge!r} needs the method {method}")
    return found


def _model(what: str, name: str, asked: Wants) -> type | None:
    if asked.context:
        raise DefinitionError(what, name, "an adapter has no Context")
    return asked.settings
