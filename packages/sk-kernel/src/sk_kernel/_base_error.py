"""What every exception of sk-kernel is."""

from __future__ import annotations

from typing import Any


class KernelError(Exception):
    """Base of every error that sk-kernel raises. It pickles and copies, with all of its fields."""

    # Not by calling the class again: what it is called with are fields, and not the message.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}
