"""The base of every exception of sk-kernel."""

from __future__ import annotations

from typing import Any


class KernelError(Exception):
    """Base of every exception of sk-kernel. It can be pickled and copied with all its fields."""

    # Not by calling the class again: its parameters are fields, and ``args`` has the message.
    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).__new__, (type(self),), {**vars(self), "args": self.args}
