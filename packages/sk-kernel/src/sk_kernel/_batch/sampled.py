"""The rows of a batch that have spans, looked up once for all nodes that see the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sk_kernel._batch.batch import sampled_rows
from sk_kernel._measure.stopwatch import Stopwatch, timed_if
from sk_kernel._record.envelope import Key

#: The stage in which spans are made, written and handed over.
SPANS: Final = "trace spans"


class SampledRows:
    """A cached :func:`sampled_rows`: consecutive nodes and the hops beside them see the same keys.

    Keys are the same if they are the same object, which nobody changes once it is in a column.

    :param stopwatch: measures the lookup; without one nothing is measured.
    """

    def __init__(self, stopwatch: Stopwatch | None = None) -> None:
        self._look_up = timed_if(stopwatch, SPANS, sampled_rows)
        self._of: Sequence[Key] = ()
        self._sampled: frozenset[int] = frozenset()
        self._rows: Sequence[int] = ()
        self._keys: Sequence[Key] = ()

    def __call__(self, keys: Sequence[Key], sampled: frozenset[int]) -> Sequence[int]:
        """Return the indices, in ascending ``keys``, of the records whose spans are recorded."""
        if not sampled:
            return ()
        if keys is not self._of or sampled is not self._sampled:
            self._rows = self._look_up(keys, sampled)
            self._keys = [keys[row] for row in self._rows]
            self._of, self._sampled = keys, sampled
        return self._rows

    def keys(self, keys: Sequence[Key], sampled: frozenset[int]) -> Sequence[Key]:
        """Return the keys at these indices; for the same ``keys``, the same object."""
        return self._keys if self(keys, sampled) else ()

    def forget(self) -> None:
        """Release the batch."""
        self._of, self._sampled, self._rows, self._keys = (), frozenset(), (), ()
