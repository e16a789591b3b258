"""Making instances: nodes and adapters, with their settings and what is injected into them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any

from sk_kernel._application.container import Container
from sk_kernel._application.forked import OwnProcess
from sk_kernel._application.whereabouts import line_of
from sk_kernel._declare.adapted import adapt
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, SinkSpec
from sk_kernel._graph.graph import SINK, SOURCE
from sk_kernel.errors import AdapterFailedError, KernelError, ResolutionError

#: A settings instance, or nothing where there is no model.
Settings = tuple[Any, ...]


def made_node(
    node: NodeSpec, settings: Settings, container: Container, wanted: Callable[[type], bool]
) -> Any:
    """A node's function with everything bound but payload and Context, or its instance.

    :param wanted: whether a parameter of a class, which need not be filled, is to be.
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
    except BaseException as error:  # sys.exit() too, which a program must not end by unheard
        problem = f"its __init__ raised {type(error).__name__}: {error}{line_of(error)}"
        raise ResolutionError(node.name, "", problem) from error


def made_adapter(spec: AdapterSpec, settings: Settings, container: Container) -> Any:
    """The object that the runtime drives: an instance of the class, or the function wrapped.

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
    """The error of an adapter that raised before there was a record."""
    vertex = SINK if isinstance(spec, SinkSpec) else SOURCE
    return AdapterFailedError(vertex, action, type(error).__name__, str(error))


def _bound(function: Any, arguments: dict[str, Any]) -> Any:
    """A copy of the function with ``arguments`` as its defaults: unlike a partial, as fast to call.

    A wrapper that takes ``**named`` and hands them on has no such parameters: it gets a partial.
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
        # Defaults go to the last parameters without a gap. A Context behind or between these gets
        # one that is never used: every call brings it.
        tuple(arguments.get(p.name, _default(p)) for p in by_position),
        function.__closure__,
    )
    bound.__kwdefaults__ = {**(function.__kwdefaults__ or {}), **arguments}
    return bound


def _default(parameter: inspect.Parameter) -> Any:
    return None if parameter.default is parameter.empty else parameter.default
