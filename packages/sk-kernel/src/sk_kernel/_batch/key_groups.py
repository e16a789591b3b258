"""Assignment of records to the workers of a group: keys to key groups, key groups to workers.

It is the same in every process and every run: a key group is a byte of BLAKE2b of the key's
MessagePack form, modulo :data:`KEY_GROUPS` (a checksum would put similar keys, such as 0 to 9, into
few groups); workers own contiguous ranges of key groups, by index.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from sk_kernel._batch.batch import Section

KEY_GROUPS = 128
"""The number of key groups, whatever the number of workers."""

#: The number of keys whose worker is cached; a key that is not costs a microsecond.
_REMEMBERED = 65_536

_encode = msgspec.msgpack.Encoder().encode


def key_group(value: Any) -> int:
    """Return the key group of a key, 0 to 127. Equal keys have the same one; True has that of 1.

    A key that MessagePack cannot carry has one, too: the sender of the record reports that fault.
    """
    try:
        data = _encode(int(value) if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        data = repr(value).encode("utf-8", "backslashreplace")
    return blake2b(data, digest_size=1, person=b"sk-key").digest()[0] % KEY_GROUPS


def owner_of(group: int, workers: int) -> int:
    """Return the index of the worker that owns a key group."""
    return group * workers // KEY_GROUPS


class KeyOwners:
    """Finds the worker of records by their attribute ``key``."""

    def __init__(self, key: str, workers: int) -> None:
        self._value: Callable[[Any], Any] = operator.attrgetter(key)
        self._workers = workers
        self._known: dict[Any, int] = {}

    def of(self, items: Sequence[Any]) -> list[int]:
        """Return the index of each item's worker."""
        known, value = self._known, self._value
        try:
            return [known[value(item)] for item in items]
        except (KeyError, TypeError):
            return [self._find(value(item)) for item in items]

    def of_one(self, item: Any) -> int:
        """Return the index of one item's worker."""
        key = self._value(item)
        try:
            return self._known[key]
        except (KeyError, TypeError):
            return self._find(key)

    def _find(self, key: Any) -> int:
        try:
            index = self._known.get(key)
        except TypeError:  # unhashable, so not a valid key: it has an owner all the same
            return owner_of(key_group(key), self._workers)
        if index is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            index = self._known[key] = owner_of(key_group(key), self._workers)
        return index


class Splitter:
    """Splits the records for one segment over the workers of its group.

    :param key: the attribute whose equal values go to the same worker; if it is None, the workers
        receive whole batches in turn.
    """

    def __init__(self, key: str | None, workers: int) -> None:
        self._workers = workers
        self._owners = KeyOwners(key, workers) if key is not None and workers > 1 else None

    def split(self, number: int, sections: Sequence[Section]) -> list[list[Section]]:
        """Return the sections of batch ``number`` for each worker, by index; some get none."""
        parts: list[list[Section]] = [[] for _ in range(self._workers)]
        if self._owners is None:
            parts[number % self._workers] = list(sections)
            return parts
        for section in sections:
            owners = self._owners.of(section.items)
            for index in sorted(set(owners)):
                rows = [row for row, owner in enumerate(owners) if owner == index]
                parts[index].append(_rows_of(section, rows))
        return parts


def _rows_of(section: Section, rows: list[int]) -> Section:
    if len(rows) == len(section.items):
        return section
    keys, items = section.keys, section.items
    return section._replace(keys=[keys[row] for row in rows], items=[items[row] for row in rows])
