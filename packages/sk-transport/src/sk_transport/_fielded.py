"""Base class of errors with typed fields and a message made from them, also used by sk-control."""

from __future__ import annotations

from typing import ClassVar, dataclass_transform


@dataclass_transform(eq_default=False)
class FieldedError(Exception):
    """An error whose annotations are its fields, with or without a default, as in a dataclass.

    ``says`` is the message, with the names of fields in braces. The constructor takes each field
    once, else it raises ``TypeError``. Errors can be pickled, and are compared by identity.
    """

    says: ClassVar[str] = "an error"
    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls._fields = (*cls._fields, *cls.__annotations__)

    # Shared by all subclasses: `dataclass` would generate an `__init__` for each of them, at every
    # start of every worker.
    def __init__(self, *given: object, **named: object) -> None:
        fields = self._fields
        values = dict(zip(fields, given, strict=False)) | named
        lacks = [n for n in fields if n not in values and not hasattr(type(self), n)]
        if lacks or len(values) < len(given) + len(named) or not values.keys() <= set(fields):
            raise TypeError(f"{type(self).__qualname__}() takes each of {fields} once")
        for name in fields:
            vars(self)[name] = values[name] if name in values else getattr(type(self), name)
        # Pickle and copy rebuild the error from `args`, also if it was made with keywords.
        self.args = tuple(vars(self)[name] for name in fields)

    def __str__(self) -> str:
        return self.says.format_map(vars(self))
