"""Preflight checks of an application's settings and declarations, which report all faults."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sk_kernel._application.making import adapter_failed
from sk_kernel._application.providers import Providers
from sk_kernel._declare.places import defined_at
from sk_kernel._declare.settings import meant, model_faults, settings_faults
from sk_kernel._declare.specs import AdapterSpec, NodeSpec, Parameter
from sk_kernel._guard.forked import OwnProcess
from sk_kernel.errors import CheckError, Fault

#: Categories of faults that may have their cause in a module that was not imported.
_MISSING = (
    "unknown_adapter",
    "unknown_node",
    "unknown_service",
    "unconsumed",
    "unreached",
    "unresolved",
)


def one_of(names: Iterable[str], given: str = "") -> str:
    """Return a text that lists the valid names and suggests the one that ``given`` may mean."""
    known = sorted(names)
    return f"one of {', '.join(known) or 'none: nothing is declared'}{meant(given, known)}"


def adapter_faults(
    path: str, spec: AdapterSpec, given: Mapping[str, Any], providers: Providers
) -> list[Fault]:
    """Return the faults of the chosen source or sink and of its settings."""
    faults = list(stateless(spec.name, spec.target, spec.parameters, providers))
    model = spec.settings_model
    unfit = model_faults(model, spec.name, spec.target)
    return faults + (unfit or settings_faults(model, given, f"{path}.settings"))


def elsewhere_faults(
    roots: Iterable[str],
    elsewhere: Mapping[str, str],
    tests: Iterable[str],
    faults: Iterable[Fault],
) -> Iterator[Fault]:
    """Yield hints if something is missing: imported declarations, and modules skipped as tests."""
    if not any(fault.category in _MISSING for fault in faults):
        return
    for module in tests:
        hint = f"{module} was taken for tests and not looked into: if it is none, add it"
        yield Fault("runtime.discovery_modules", "elsewhere", "", hint)
    for module in dict.fromkeys(elsewhere.values()):
        names = [name for name, of in elsewhere.items() if of == module]
        are = "is" if len(names) == 1 else "are"
        where = f"which is not below any of [{', '.join(roots)}]: add {module}"
        hint = f"{', '.join(names)} {are} defined in {module}, {where}"
        yield Fault("runtime.discovery_modules", "elsewhere", "", hint)


def check_faults(role: str, spec: AdapterSpec, settings: tuple[Any, ...]) -> Iterator[Fault]:
    """Call the ``check`` of a source or sink, if it has one, and yield the fault it reports."""
    check = getattr(spec.target, "check", None) if spec.is_class else None
    if check is None:
        return
    try:
        with OwnProcess():
            check(*settings)
    except CheckError as error:
        yield Fault(f"adapters.{role}.settings.{error.field}", "adapter", "", error.problem)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it is reported as a fault
        problem = str(adapter_failed(spec, "check its settings", error))
        yield Fault(f"adapters.{role}", "adapter", "", problem)


def node_faults(node: NodeSpec, given: Mapping[str, Any], providers: Providers) -> list[Fault]:
    """Return the faults of a node and of its settings."""
    model = node.settings_model
    faults = model_faults(model, node.name, node.target)
    faults = faults or settings_faults(model, given, f"nodes.{node.name}")
    for parameter in node.parameters:
        state = providers.states.get(parameter.cls)
        if state is None:
            wanted = "a @state or @service"
            faults += _unresolved(node.name, node.target, parameter, providers, wanted)
        elif state.key is not None:
            faults += _key_faults(node, state.key)
    return faults


def choice_faults(
    node: NodeSpec, declared: Iterable[type], chosen: Iterable[type]
) -> Iterator[Fault]:
    """Yield the faults of a node's ``states()``.

    :param declared: the states among the node's parameters.
    :param chosen: the states that ``states()`` returned.
    """
    parameters = {p.cls: p for p in node.parameters}
    wanted = set(chosen)
    for cls in sorted(wanted - set(declared), key=repr):
        name = getattr(cls, "__qualname__", repr(cls))
        expected = f"a parameter for {name}, which its states() gives"
        yield Fault(node.name, "state_choice", expected, place=defined_at(node.target))
    for cls in declared:
        if cls not in wanted and parameters[cls].required:
            expected = f"`| None` for {cls.__qualname__}, which its states() leaves out"
            yield Fault(node.name, "state_choice", expected, place=defined_at(node.target))


def stateless(
    name: str, target: Any, parameters: Iterable[Parameter], providers: Providers
) -> Iterator[Fault]:
    """Yield the faults of the parameters of a source, sink or service, which must not be states."""
    for parameter in parameters:
        if parameter.cls in providers.states:
            wanted = (
                f"no {parameter.cls.__qualname__}: a state belongs to nodes, where a graph sees it"
            )
            yield Fault(name, "hidden_state", wanted, place=defined_at(target))
        else:
            yield from _unresolved(name, target, parameter, providers, "a @service")


def _unresolved(
    name: str, target: Any, parameter: Parameter, providers: Providers, wanted: str
) -> Iterator[Fault]:
    if parameter.required and not providers.has_service(parameter.cls):
        asked = f"{wanted} for {parameter.cls.__qualname__}, its parameter {parameter.name!r}"
        asked += " (settings are the one named 'settings')"
        yield Fault(name, "unresolved", asked, place=defined_at(target))


def _key_faults(node: NodeSpec, key: str) -> Iterator[Fault]:
    for payload in node.consumes:
        if not _has_attribute(payload.cls, key):
            wanted = f"an attribute {key!r} on {payload.name}, which its state is keyed by"
            yield Fault(node.name, "state_key", wanted, "none", defined_at(node.target))


def _has_attribute(cls: type, name: str) -> bool:
    if hasattr(cls, name) or name in getattr(cls, "__dataclass_fields__", ()):
        return True
    try:
        return name in typing.get_type_hints(cls)
    except (NameError, TypeError):
        return any(name in inspect.get_annotations(base) for base in cls.__mro__)
