"""The thread that reads the source, ahead of the work by as many batches as there is credit for."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sk_kernel import RunError, SourceDriver

from sk_supervisor._inbox import Broke, Credit, Item, SourceRead


class SourceThread:
    """Reads from ``start()`` to the end of input, or to ``interrupt()``."""

    def __init__(
        self,
        driver: SourceDriver,
        credit: Credit,
        deliver: Callable[[Item], None],
    ) -> None:
        self._driver, self._credit, self._deliver = driver, credit, deliver
        self._thread = threading.Thread(target=self._read, name="source", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def interrupt(self) -> None:
        """End the input here: the final batch follows what was read. Any thread."""
        self._driver.interrupt()
        self._credit.end()

    def _read(self) -> None:
        try:
            number = 1
            while True:
                self._credit.wait_for(number)
                batch, payloads = self._driver.read()
                self._deliver(SourceRead(batch, payloads))
                number += 1
                if batch.final:
                    self._driver.close()
                    return
        except RunError as error:
            self._deliver(Broke(error))
