"""Make instances of nodes and adapters, with their settings and injected dependencies."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

from sk_kernel._application.container import Container
from sk_kernel._declare.adapted import adapt
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, SinkSpec
from sk_kernel._graph.graph import SINK, SOURCE
from sk_kernel._guard.forked import OwnProcess
from sk_kernel._guard.whereabouts import line_of
from sk_kernel.errors import AdapterFailedError, KernelError, ResolutionError

#: One settings instance, or an empty tuple if there is no settings model.
Settings = tuple[Any, ...]


def made_node(
    node: NodeSpec, settings: Settings, container: Container, wanted: Callable[[type], bool]
) -> Any:
    """Return a node's instance, or its function with all but the payload and the Context bound.

    :param wanted: whether an optional parameter of a given class is to be filled.
    :raises ResolutionError: when a dependency is missing or the node's ``__init__`` raised.
    """
    arguments = container.arguments(node.parameters, node.name, wanted)
    if settings:
        (arguments["settings"],) = settings
    if not node.is_class:
        return _bound(node.target, arguments)
    try:
        with OwnProcess():
            return node.target(**arguments)
    except (KernelError, KeyboardInterrupt):
        raise
    except BaseException as error:  # including sys.exit(), which must not end the program silently
        problem = f"its __init__ raised {type(error).__name__}: {error}{line_of(error)}"
        raise ResolutionError(node.name, "", problem) from error


def made_adapter(spec: AdapterSpec, settings: Settings, container: Container) -> Any:
    """Return the object that the runtime drives: an instance of the class, or a wrapped function.

    :raises ResolutionError: when a dependency is missing.
    :raises AdapterFailedError: when its ``__init__`` raised.
    """
    arguments = container.arguments(spec.parameters, spec.name, lambda _: True)
    if settings:
        (arguments["settings"],) = settings
    if not spec.is_class:
        return adapt(spec, _bound(spec.target, arguments))
    try:
        with OwnProcess():
            return spec.target(**arguments)
    except (KernelError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise adapter_failed(spec, "be made", error) from error


def adapter_failed(spec: AdapterSpec, action: str, error: BaseException) -> AdapterFailedError:
    """Return the error for an adapter that raised before there was a record."""
    vertex = SINK if isinstance(spec, SinkSpec) else SOURCE
    return AdapterFailedError(vertex, action, type(error).__name__, str(error))


def _bound(function: Any, arguments: dict[str, Any]) -> Any:
    """Return a copy of the function with ``arguments`` as its defaults.

    Unlike a ``partial``, the copy is as fast to call as the original. A wrapper that forwards
    ``**named`` does not have the parameters themselves: for it, this returns a ``partial``.
    """
    if not arguments:
        return function
    own = inspect.signature(function, follow_wrapped=False).parameters
    if not arguments.keys() <= own.keys():
        return partial(function, **arguments)
    by_position = [p for p in own.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    while by_position and by_position[0].name not in arguments:
        by_position.pop(0)
    bound = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        # Defaults belong to the last parameters, without a gap. A Context parameter after or
        # between them gets a default that is never used, since every call passes a Context.
        tuple(arguments.get(p.name, _default(p)) for p in by_position),
        function.__closure__,
    )
    bound.__kwdefaults__ = {**(function.__kwdefaults__ or {}), **arguments}
    return bound


def _default(parameter: inspect.Parameter) -> Any:
    return None if parameter.default is parameter.empty else parameter.default
