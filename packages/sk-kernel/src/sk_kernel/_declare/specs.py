"""What the decorators record about a function or class: plain values, read at definition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

SPEC_ATTRIBUTE = "__stream_kernel__"


class PayloadType(Struct, frozen=True):
    """A payload type: the class of its instances, and the annotation that they are decoded to."""

    cls: type
    annotation: Any

    @property
    def name(self) -> str:
        """The class's qualified name, as errors and pictures show it."""
        return self.cls.__qualname__


class Emission(Struct, frozen=True):
    """What a callable may return: which types, whether None, whether several payloads at once."""

    types: tuple[PayloadType, ...] = ()
    optional: bool = False
    many: bool = False
    enveloped: bool = False

    @property
    def droppable(self) -> bool:
        """Whether the callable may return None."""
        return self.optional or not self.types

    def __str__(self) -> str:
        names = " | ".join([t.name for t in self.types] + ["None"] * self.droppable)
        return f"list[{names}]" if self.many else names


class Parameter(Struct, frozen=True):
    """A parameter that the container fills.

    If nothing provides its class, it is None if ``optional``, or left out if it ``defaults``.
    """

    name: str
    cls: type
    optional: bool = False
    defaults: bool = False

    @property
    def required(self) -> bool:
        """Whether something must provide it."""
        return not (self.optional or self.defaults)


class NodeSpec(Struct, frozen=True):
    """A node as declared. ``target`` is the function, or the class to instantiate.

    ``processes_batches`` is true if that class has a ``process_batch``.
    """

    name: str
    target: Callable[..., Any]
    is_class: bool
    consumes: tuple[PayloadType, ...]
    emits: Emission
    finish: Emission | None
    is_async: bool
    finish_is_async: bool
    context_parameter: str | None
    settings_model: type | None
    parameters: tuple[Parameter, ...]
    stage: str | None = None
    tags: frozenset[str] = frozenset()
    runner: str | None = None
    processes_batches: bool = False


class StateSpec(Struct, frozen=True):
    """A state as declared: its class and the payload attribute that it is partitioned by."""

    cls: type
    key: str | None


class ServiceSpec(Struct, frozen=True):
    """A service as declared: its class, the types that it is injected for, and what it needs."""

    name: str
    cls: type
    provides: tuple[type, ...]
    parameters: tuple[Parameter, ...] = ()
    settings_model: type | None = None


class AdapterSpec(Struct, frozen=True):
    """A source or sink as declared. ``payload`` is what a source emits or a sink consumes."""

    name: str
    target: Callable[..., Any]
    is_class: bool
    bridge: str | None
    payload: Emission
    settings_model: type | None
    parameters: tuple[Parameter, ...] = ()
    stage: str | None = None
    tags: frozenset[str] = frozenset()


class SourceSpec(AdapterSpec, frozen=True):
    """A source as declared.

    If it is ``unbounded``, a stop ends its input, which is complete once it is drained. A stop cuts
    the input of any other source short.
    """

    unbounded: bool = False


class SinkSpec(AdapterSpec, frozen=True):
    """A sink as declared."""
