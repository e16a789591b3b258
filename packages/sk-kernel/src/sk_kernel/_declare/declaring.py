"""Common parts of the decorators: check their arguments, name the object, record its spec."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from sk_kernel._declare.specs import SPEC_ATTRIBUTE, AdapterSpec, NodeSpec, ServiceSpec, StateSpec
from sk_kernel.errors import DefinitionError

NO_FUNCTION = "must be a function or a class (of what can be called: a function that calls it)"
"""The error for a method, a ``functools.partial`` or an instance."""


def label_of(what: str, name: str | None, target: Any) -> str:
    """Return the given name, or else a function's own name, or a class's in snake case.

    :raises DefinitionError: when ``target`` is neither a function nor a class.
    """
    own = getattr(target, "__name__", None)
    if own is None:
        raise DefinitionError(what, name or repr(target), NO_FUNCTION)
    if not isinstance(target, type):
        return name or str(own)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", own)
    return name or words.lower()


def check_class(what: str, target: Any) -> None:
    """Require that the declared object is a class.

    :raises DefinitionError: when it is not.
    """
    if not isinstance(target, type):
        name = getattr(target, "__name__", None) or repr(target)
        raise DefinitionError(what, name, "must be a class")


def declared(target: Any, spec: NodeSpec | AdapterSpec | StateSpec | ServiceSpec) -> None:
    """Record an object's spec on the object.

    :raises DefinitionError: when it cannot carry one, already has one, or would replace another.
    """
    label = f"{target.__module__}.{target.__qualname__}"
    before = vars(target).get(SPEC_ATTRIBUTE) if hasattr(target, "__dict__") else None
    # A wrapper has a copy of the wrapped object's attributes: that spec is not its own.
    if before is not None and spec_owner(before) is target:
        raise DefinitionError("object", label, "is declared twice: write one for each declaration")
    if _would_replace(target):
        raise DefinitionError(
            "object", label, "would replace the one above: give each its own name"
        )
    try:
        setattr(target, SPEC_ATTRIBUTE, spec)
    except (TypeError, AttributeError) as error:
        raise DefinitionError("object", label, "cannot be declared: it is not yours") from error


def _would_replace(target: Any) -> bool:
    """Return whether a module in its first import has already declared an object of that name.

    On a reload, and in a notebook, the second declaration is meant to replace the first.
    """
    module = sys.modules.get(target.__module__)
    if not getattr(getattr(module, "__spec__", None), "_initializing", False):
        return False
    before = vars(module).get(target.__qualname__)
    spec = getattr(before, "__dict__", {}).get(SPEC_ATTRIBUTE)
    return spec is not None and spec_owner(spec) is before is not target


def spec_owner(spec: NodeSpec | AdapterSpec | StateSpec | ServiceSpec) -> Callable[..., Any]:
    """Return the object that a spec was recorded on."""
    return spec.cls if isinstance(spec, StateSpec | ServiceSpec) else spec.target


def check_words(what: str, target: Any, **given: Any) -> None:
    """Check a decorator's text arguments: each is a non-empty text or None.

    :raises DefinitionError: when one is not, or a text stands in place of the decorated object.
    """
    if isinstance(target, str):
        raise DefinitionError(what, target, f"write @{what}(name={target!r})")
    for option, value in given.items():
        if value is not None and not (isinstance(value, str) and value):
            raise _wrong(what, target, option, "a text that is not empty", value)


def check_flag(what: str, target: Any, option: str, value: Any) -> None:
    """Check an option of a decorator that must be True or False.

    :raises DefinitionError: when it is anything else.
    """
    if type(value) is not bool:
        raise _wrong(what, target, option, "True or False", value)


def check_key(cls: type, misplaced: tuple[Any, ...], key: Any) -> None:
    """Check the arguments of ``@state``: only ``key``, given by name, which may be None.

    :raises DefinitionError: which says what to write.
    """
    meant = next((each for each in misplaced if isinstance(each, str) and each), "customer_id")
    if misplaced or not (key is None or (isinstance(key, str) and key)):
        how = f"write @state(key={meant!r}), the attribute of payloads that it is divided by"
        problem = f"{how}, or @state(key=None): one for all of them"
        raise DefinitionError("state", cls.__name__, problem)


def tags_of(what: str, target: Any, tags: Any) -> frozenset[str]:
    """Return the tags from a decorator's argument.

    :raises DefinitionError: when it is not a collection of texts.
    """
    several = not isinstance(tags, str) and isinstance(tags, Iterable)
    found = tuple(tags) if several else ()
    if not several or not all(isinstance(each, str) and each for each in found):
        raise _wrong(what, target, "tags", "a list of texts, as ['intake']", tags)
    return frozenset(found)


def classes_of(what: str, target: Any, provides: Any) -> tuple[type, ...]:
    """Return the classes that a service provides, from its decorator's argument.

    :raises DefinitionError: when it is not a collection of classes.
    """
    several = not isinstance(provides, str | type) and isinstance(provides, Iterable)
    found = tuple(provides) if several else ()
    if not several or not all(isinstance(each, type) for each in found):
        raise _wrong(what, target, "provides", "a list of classes, as [Clock]", provides)
    return found


def _wrong(what: str, target: Any, option: str, wanted: str, got: Any) -> DefinitionError:
    name = getattr(target, "__name__", what)
    return DefinitionError(what, name, f"{option} must be {wanted}, not {got!r}")
