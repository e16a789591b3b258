"""Finding declared objects under module roots."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from msgspec import Struct, field

from sk_kernel._application.modules import Roots
from sk_kernel._declare.declaring import spec_owner
from sk_kernel._declare.gathering import Wrong, gathered
from sk_kernel._declare.places import defined_at
from sk_kernel._declare.specs import (
    SPEC_ATTRIBUTE,
    NodeSpec,
    ServiceSpec,
    SinkSpec,
    SourceSpec,
    StateSpec,
)
from sk_kernel.errors import DefinitionError, DiscoveryError, Fault, PreflightError

#: Types of objects that may have a spec: the last, of ``functools.cache`` around a declared one, is
#: looked at to be refused.
_DECLARABLE = (FunctionType, type, type(cache(lambda: None)))


class Catalogue(Struct):
    """Everything declared under the module roots, in the order found: that order is the graph's."""

    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    sources: dict[str, SourceSpec] = field(default_factory=dict)
    sinks: dict[str, SinkSpec] = field(default_factory=dict)
    states: dict[type, StateSpec] = field(default_factory=dict)
    services: dict[str, ServiceSpec] = field(default_factory=dict)
    #: The module roots in which nothing is declared.
    empty_roots: list[str] = field(default_factory=list)
    #: The modules below the roots that were taken for tests, and not imported.
    tests: list[str] = field(default_factory=list)
    #: The module of each declared object, by its name, that is imported here and defined elsewhere.
    elsewhere: dict[str, str] = field(default_factory=dict)


def discover(module_roots: Iterable[str]) -> Catalogue:
    """Import the roots with their submodules and collect what is declared in them.

    Roots in the order given, a root's submodules by name, objects as defined. An object that a
    module merely imports is not collected there. Of the submodules, tests are passed over
    (``tests``, ``conftest``, ``test_*``).

    The first error is raised; the ``further`` of a :class:`DiscoveryError` or
    :class:`DefinitionError` holds all others.

    :raises DiscoveryError: when a module cannot be imported, or a root is a mere folder.
    :raises DefinitionError: when something in one cannot be what it is declared to be.
    :raises PreflightError: when two objects of one kind have the same name.
    """
    catalogue = Catalogue()
    faults: list[Fault] = []
    roots = Roots()
    wrong = roots.wrong
    seen: set[int] = set()
    visited: list[ModuleType] = []
    for root in module_roots:
        with gathered() as told:
            modules = list(roots.below(root))
        wrong += _forgotten(told)
        visited += modules
        found = [each for module in modules for each in _declared_in(module, wrong)]
        if not found:
            catalogue.empty_roots.append(root)
        for value, spec in found:
            if id(value) not in seen:
                seen.add(id(value))
                faults.extend(_add(catalogue, spec))
    if wrong:
        _raise(wrong, faults)
    if faults:
        raise PreflightError(faults)
    catalogue.elsewhere, catalogue.tests = _imported_by(visited), roots.tests
    return catalogue


def _raise(wrong: Iterable[DefinitionError | DiscoveryError], faults: Iterable[Fault]) -> NoReturn:
    """Raise the first with all others; what several modules failed of is told once."""
    firsts: dict[tuple[str, str], DefinitionError | DiscoveryError] = {}
    for each in wrong:
        firsts.setdefault((each.problem, getattr(each, "place", "")), each)
    first, *others = firsts.values()
    duplicates = PreflightError(faults)
    first.further = (*others, duplicates) if duplicates.faults else tuple(others)
    raise first


def _forgotten(told: Iterable[Wrong]) -> Iterator[DefinitionError]:
    """The errors; their modules are imported anew by who asks again, and are then as wrong."""
    for each in told:
        sys.modules.pop(each.module, None)
        yield each.error


def _declared_in(
    module: ModuleType, wrong: list[DefinitionError | DiscoveryError]
) -> Iterator[tuple[Any, Any]]:
    """The objects that are declared in a module, each with its spec."""
    for name, value in list(vars(module).items()):
        if not issubclass(type(value), _DECLARABLE) or value.__module__ != module.__name__:
            continue
        # A subclass of what is declared is not, so only the object's own attribute counts.
        spec = vars(value).get(SPEC_ATTRIBUTE)
        if spec is None:
            continue
        if spec_owner(spec) is value:
            yield value, spec
        else:
            problem = "another decorator is around it: the declaring one must be the outermost"
            label, place = f"{module.__name__}.{name}", defined_at(value)
            wrong.append(DefinitionError("object", label, problem, place))


def _imported_by(modules: Iterable[ModuleType]) -> dict[str, str]:
    """What is declared in modules that are none of these, by its name, and in which."""
    modules = list(modules)
    own = {module.__name__ for module in modules}
    return {
        getattr(spec, "name", value.__name__): value.__module__
        for module in modules
        for value in vars(module).values()
        if issubclass(type(value), _DECLARABLE) and value.__module__ not in own
        if (spec := vars(value).get(SPEC_ATTRIBUTE)) is not None
    }


def _add(catalogue: Catalogue, spec: Any) -> Iterator[Fault]:
    match spec:
        case StateSpec():
            catalogue.states[spec.cls] = spec
            return
        case NodeSpec():
            group: dict[str, Any] = catalogue.nodes
        case ServiceSpec():
            group = catalogue.services
        case SourceSpec():
            group = catalogue.sources
        case _:
            group = catalogue.sinks
    first = group.setdefault(spec.name, spec)
    if first is not spec:
        owners = [spec_owner(each) for each in (first, spec)]
        both = " and ".join(f"{owner.__module__}.{owner.__qualname__}" for owner in owners)
        yield Fault(spec.name, "duplicate", "a name of its own", both, defined_at(owners[1]))
