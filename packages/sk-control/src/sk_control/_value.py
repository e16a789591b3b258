"""Frozen dataclasses that share their methods.

`dataclass` would generate the methods of each class, at every start of every worker, which takes a
third of a millisecond per class.
"""

from __future__ import annotations

from dataclasses import MISSING, FrozenInstanceError, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["value"]

_set = object.__setattr__

if not TYPE_CHECKING:

    def value(*, frozen: bool, slots: bool) -> Any:
        """Return a decorator with the same effect as ``dataclass(frozen=True, slots=slots)``.

        ``frozen`` must be True; the parameter makes the decorator read like that of a dataclass.
        """

        def made(cls: type[Any]) -> type[Any]:
            cls = dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
            for name, method in _METHODS.items():
                setattr(cls, name, method)
            return cls

        assert frozen  # noqa: S101 - see above
        return made

else:
    # Type checkers know `dataclass`, and the resulting class is the same.
    from dataclasses import dataclass as value


def _init(one: Any, *given: Any, **named: Any) -> None:
    fields = one.__dataclass_fields__
    values = dict(zip(fields, given, strict=False))
    if len(given) > len(fields) or values.keys() & named or named.keys() - fields.keys():
        raise TypeError(f"{type(one).__qualname__}() takes each of {', '.join(fields)} once")
    values |= named
    for name, field in fields.items():
        if name in values:
            _set(one, name, values[name])
        elif field.default_factory is not MISSING:
            _set(one, name, field.default_factory())
        elif field.default is not MISSING:
            _set(one, name, field.default)
        else:
            raise TypeError(f"{type(one).__qualname__}() lacks {name}")
    if hasattr(one, "__post_init__"):
        one.__post_init__()


def _values(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in one.__dataclass_fields__)


def _equal(one: Any, other: object) -> bool:
    return _values(one) == _values(other) if type(other) is type(one) else NotImplemented


def _hash(one: Any) -> int:
    return hash(_values(one))


def _shown(one: Any) -> str:
    fields = one.__dataclass_fields__.values()
    shown = ", ".join(f"{f.name}={getattr(one, f.name)!r}" for f in fields if f.repr)
    return f"{type(one).__qualname__}({shown})"


def _refuse_to_set(_: Any, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _reduced(one: Any) -> tuple[Any, ...]:
    return type(one), _values(one)


_METHODS = {
    "__init__": _init,
    "__eq__": _equal,
    "__hash__": _hash,
    "__repr__": _shown,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__reduce__": _reduced,
}
