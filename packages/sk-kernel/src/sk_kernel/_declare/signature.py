"""Reading a callable's signature: its payload, its settings, and the parameters to inject."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from sk_kernel._declare.context import Context
from sk_kernel._declare.specs import Parameter
from sk_kernel._declare.types import alternatives
from sk_kernel.errors import DefinitionError

SETTINGS = "settings"
_NAMED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Wants(NamedTuple):
    """What a callable needs: settings model, name of the Context parameter, injected ones."""

    settings: type | None = None
    context: str | None = None
    injected: tuple[Parameter, ...] = ()


def hints_of(what: str, name: str, owner: Callable[..., Any]) -> dict[str, Any]:
    """Return the resolved annotations of a function or class.

    :raises DefinitionError: when one cannot be resolved.
    """
    try:
        return typing.get_type_hints(owner)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        hint = "; import it at run time, not under TYPE_CHECKING" * isinstance(error, NameError)
        problem = f"an annotation cannot be resolved: {error}{hint}"
        raise DefinitionError(what, name, problem) from error


def payload_parameter(
    what: str, name: str, owner: Any, method: str | None = None
) -> tuple[Any, list[inspect.Parameter]]:
    """Return (annotation of the payload, further parameters) of a function or a class's method.

    :raises DefinitionError: when there is no such parameter, or it has no annotation.
    """
    function, parameters = _callable_of(owner, method)
    if not parameters or parameters[0].kind not in _BY_POSITION:
        raise DefinitionError(what, name, "needs a positional parameter for the payload")
    hints = hints_of(what, name, function)
    if parameters[0].name == "self":
        raise DefinitionError(what, name, "is a method: declare its class, or a function")
    if parameters[0].name not in hints:
        raise _unannotated(what, name, parameters[0].name, "the class of the payloads", "Order")
    return hints[parameters[0].name], parameters[1:]


def wants(what: str, name: str, owner: Any, parameters: list[inspect.Parameter]) -> Wants:
    """Return what ``parameters`` of ``owner`` (a function or a class) ask for.

    :raises DefinitionError: when one of them is not annotated with one class.
    """
    hints = hints_of(what, name, owner)
    settings: type | None = None
    context: str | None = None
    injected: list[Parameter] = []
    for parameter in parameters:
        if parameter.kind in _NAMED:
            raise DefinitionError(what, name, f"*{parameter.name} cannot be injected")
        if parameter.name not in hints:
            raise _unannotated(what, name, parameter.name, "what it is to be given", "Clock")
        annotation = hints[parameter.name]
        members = [m for m in alternatives(annotation) if m is not type(None)]
        if len(members) != 1 or not isinstance(members[0], type):
            raise DefinitionError(what, name, f"parameter {parameter.name!r} needs one class")
        optional = len(members) != len(alternatives(annotation))
        if parameter.name == SETTINGS:
            settings = members[0]
        elif members[0] is Context:
            context = parameter.name
        else:
            defaults = parameter.default is not parameter.empty
            injected.append(Parameter(parameter.name, members[0], optional, defaults))
    return Wants(settings, context, tuple(injected))


def _unannotated(what: str, name: str, parameter: str, says: str, such: str) -> DefinitionError:
    problem = f"parameter {parameter!r} has no annotation: write {says}, as in {parameter}: {such}"
    return DefinitionError(what, name, problem)


def constructor(what: str, name: str, cls: type) -> Wants:
    """Return what the constructor of a class asks for.

    :raises DefinitionError: when a parameter is not annotated with one class, or ``__init__`` is a
        coroutine.
    """
    check_plain_init(what, name, cls)
    parameters, owner = constructor_parameters(cls)
    return wants(what, name, owner, parameters) if parameters else Wants()


def check_plain_init(what: str, name: str, cls: type) -> None:
    """Reject a class whose ``__init__`` is a coroutine: it cannot be instantiated.

    :raises DefinitionError: which says so.
    """
    if inspect.iscoroutinefunction(cls.__init__):  # type: ignore[misc]
        problem = "__init__ must be plain: nobody awaits it (await where it is first used)"
        raise DefinitionError(what, name, problem)


def constructor_parameters(cls: type) -> tuple[list[inspect.Parameter], Any]:
    """Return the parameters of a class's constructor, and the object with their annotations."""
    init = cls.__init__  # type: ignore[misc]
    if inspect.isfunction(init):
        return list(inspect.signature(init).parameters.values())[1:], init
    if issubclass(cls, msgspec.Struct):
        return list(inspect.signature(cls).parameters.values()), cls
    return [], cls


def _callable_of(owner: Any, method: str | None) -> tuple[Any, list[inspect.Parameter]]:
    if method is None:
        return owner, list(inspect.signature(owner).parameters.values())
    function = getattr(owner, method)
    parameters = list(inspect.signature(function).parameters.values())
    raw = inspect.getattr_static(owner, method)
    unbound = not isinstance(raw, staticmethod | classmethod)
    return function, parameters[1:] if unbound else parameters
