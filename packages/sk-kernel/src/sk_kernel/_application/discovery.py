"""Find declared objects under module roots."""

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

#: Types of objects that may have a spec. The last one, the type of a ``functools.cache`` wrapper,
#: is only here so that such a wrapper around a declared object is reported as an error.
_DECLARABLE = (FunctionType, type, type(cache(lambda: None)))


class Catalogue(Struct):
    """Everything declared under the module roots, in discovery order: it is the graph's order."""

    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    sources: dict[str, SourceSpec] = field(default_factory=dict)
    sinks: dict[str, SinkSpec] = field(default_factory=dict)
    states: dict[type, StateSpec] = field(default_factory=dict)
    services: dict[str, ServiceSpec] = field(default_factory=dict)
    #: The module roots in which nothing is declared.
    empty_roots: list[str] = field(default_factory=list)
    #: The modules below the roots whose names are those of tests, and which were not imported.
    tests: list[str] = field(default_factory=list)
    #: Declared objects that are imported here but defined outside the roots: name -> its module.
    elsewhere: dict[str, str] = field(default_factory=dict)


def discover(module_roots: Iterable[str]) -> Catalogue:
    """Import the roots with their submodules and collect the objects declared in them.

    Roots are visited in the given order, submodules of a root by name, objects in the order of
    their definition. An object is collected only in the module that defines it. Submodules that
    hold tests are skipped (``tests``, ``conftest``, ``test_*``).

    The first error is raised; the ``further`` attribute of a :class:`DiscoveryError` or
    :class:`DefinitionError` holds all others.

    :raises DiscoveryError: when a module cannot be imported, or is a folder without
        ``__init__.py``.
    :raises DefinitionError: when an object in a module violates the rules of its decorator.
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
    """Raise the first error with the others attached; errors with equal text and place are one."""
    firsts: dict[tuple[str, str], DefinitionError | DiscoveryError] = {}
    for each in wrong:
        firsts.setdefault((each.problem, getattr(each, "place", "")), each)
    first, *others = firsts.values()
    duplicates = PreflightError(faults)
    first.further = (*others, duplicates) if duplicates.faults else tuple(others)
    raise first


def _forgotten(told: Iterable[Wrong]) -> Iterator[DefinitionError]:
    """Yield the errors, and drop their modules from ``sys.modules``.

    A later import of such a module then runs it again and reports the same error.
    """
    for each in told:
        sys.modules.pop(each.module, None)
        yield each.error


def _declared_in(
    module: ModuleType, wrong: list[DefinitionError | DiscoveryError]
) -> Iterator[tuple[Any, Any]]:
    """Yield the objects declared in a module, each with its spec."""
    for name, value in list(vars(module).items()):
        if not issubclass(type(value), _DECLARABLE) or value.__module__ != module.__name__:
            continue
        # Only the object's own attribute counts: a subclass of a declared class is not declared.
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
    """Map the name of each declared object imported from another module to that module's name."""
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
