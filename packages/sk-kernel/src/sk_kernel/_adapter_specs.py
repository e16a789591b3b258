"""The specs of sources and sinks, read from their signatures."""

from __future__ import annotations

import inspect
from typing import Any

from sk_kernel._signature import Wants, constructor, hints_of, payload_parameter, wants
from sk_kernel._specs import Emission, SinkSpec, SourceSpec
from sk_kernel._types import consumed, consumed_several, returned
from sk_kernel.errors import DefinitionError

_SOURCE_METHODS = ("read", "interrupt")
_SINK_METHODS = ("write",)


def source_spec(
    name: str, target: Any, bridge: str | None, stage: str | None, tags: frozenset[str]
) -> SourceSpec:
    """The spec of a source class or generator function.

    :raises DefinitionError: when a method or an annotation is missing.
    """
    is_class = isinstance(target, type)
    if is_class:
        _require("source", name, target, _SOURCE_METHODS)
        gives = _optional("source", name, target, bridge, "decode") or target.read
        asked = constructor("source", name, target)
    else:
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
    # The runtime numbers what a source gives: to a graph it gives one payload at a time.
    one = Emission(payload.types, payload.optional, False, payload.enveloped)
    model = _model("source", name, asked)
    return SourceSpec(name, target, is_class, bridge, one, model, asked.injected, stage, tags)


def sink_spec(
    name: str, target: Any, bridge: str | None, stage: str | None, tags: frozenset[str]
) -> SinkSpec:
    """The spec of a sink class or function.

    :raises DefinitionError: when a method or an annotation is missing.
    """
    is_class = isinstance(target, type)
    if is_class:
        _require("sink", name, target, _SINK_METHODS)
        if hasattr(target, "commit") != hasattr(target, "abort"):
            raise DefinitionError("sink", name, "has one of commit and abort: write both or none")
        encode = _optional("sink", name, target, bridge, "encode")
        annotation, _ = payload_parameter("sink", name, target, "encode" if encode else "write")
        types = consumed_several("sink", name, annotation)
        asked = constructor("sink", name, target)
    else:
        if not inspect.isfunction(target) or inspect.iscoroutinefunction(target):
            raise DefinitionError("sink", name, "must be a class or a plain function")
        if bridge:
            raise DefinitionError("sink", name, "a function has no bridge")
        annotation, further = payload_parameter("sink", name, target)
        types = consumed("sink", name, annotation)
        asked = wants("sink", name, target, further)
    model = _model("sink", name, asked)
    one = Emission(types)
    return SinkSpec(name, target, is_class, bridge, one, model, asked.injected, stage, tags)


def _require(what: str, name: str, cls: type, methods: tuple[str, ...]) -> None:
    missing = [m for m in methods if not callable(getattr(cls, m, None))]
    if missing:
        raise DefinitionError(what, name, f"lacks {' and '.join(missing)}")


def _optional(what: str, name: str, cls: type, bridge: str | None, method: str) -> Any:
    found = getattr(cls, method, None)
    if bridge and found is None:
        raise DefinitionError(what, name, f"bridge {bridge!r} needs the method {method}")
    return found


def _model(what: str, name: str, asked: Wants) -> type | None:
    if asked.context:
        raise DefinitionError(what, name, "an adapter has no Context")
    return asked.settings
