"""A thread that looks at something for as long as a block lasts."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Watch(ABC):
    """Begun and ended with its block; ``done`` is set when it is to end."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self._thread = threading.Thread(target=self.look_until_done)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.done.set()
        self._thread.join()

    @abstractmethod
    def look_until_done(self) -> None:
        """Look, in the thread, again and again."""
