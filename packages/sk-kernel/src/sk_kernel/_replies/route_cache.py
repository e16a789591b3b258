"""A bounded cache of routes, which are valid for one version of the placement."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

import msgspec


class RouteCacheSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The counters and the settings of a :class:`RouteCache`.

    A lookup counts as one of ``hits`` (there is a route), ``negative_hits`` (it is known that there
    is none) and ``misses``; a disabled cache counts misses only. ``entries`` never exceeds
    ``max_entries``; ``evictions`` counts entries removed for others. ``version`` is that of the
    placement, and ``invalidations`` counts its changes, each of which emptied the cache.
    """

    enabled: bool
    negative_cache: bool
    max_entries: int
    version: int = 0
    entries: int = 0
    hits: int = 0
    negative_hits: int = 0
    misses: int = 0
    evictions: int = 0
    invalidations: int = 0


class _Unknown:
    """The type of :data:`UNKNOWN`."""


UNKNOWN: Final = _Unknown()
"""The result of a lookup that finds no entry. None is an entry: it says that there is no route."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RouteCache(Generic[K, V]):
    """An LRU cache of answers by key; the answer None says that there is no route.

    Every method may be called in any thread. Each lookup and each answer names the version of the
    placement that it is for. Only answers for the newest version seen are kept: an answer computed
    before a change of the placement, and stored after it, is discarded.

    :raises ValueError: for a ``max_entries`` below 1.
    """

    def __init__(
        self, *, enabled: bool = True, negative_cache: bool = True, max_entries: int = 1_024
    ) -> None:
        if max_entries < 1:
            raise ValueError("max_entries must be positive")
        self._enabled, self._negative_cache = enabled, negative_cache
        self._max_entries = max_entries
        self._lock = Lock()
        self._entries: OrderedDict[K, V | None] = OrderedDict()
        self._version = 0
        self._hits = self._negative_hits = self._misses = 0
        self._evictions = self._invalidations = 0

    def get(self, key: K, version: int) -> V | _Unknown | None:
        """Return the answer for a key under a version of the placement, or :data:`UNKNOWN`."""
        with self._lock:
            self._advance(version)
            if version != self._version or key not in self._entries:
                self._misses += 1
                return UNKNOWN
            self._entries.move_to_end(key)
            answer = self._entries[key]
            if answer is None:
                self._negative_hits += 1
            else:
                self._hits += 1
            return answer

    def put(self, key: K, version: int, answer: V | None) -> None:
        """Store the answer for a key, unless a newer version than its own is known."""
        if not self._enabled or (answer is None and not self._negative_cache):
            return
        with self._lock:
            self._advance(version)
            if version != self._version:
                return
            self._entries[key] = answer
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
                self._evictions += 1

    def invalidate(self, version: int) -> None:
        """Note a version of the placement, and discard the answers for older ones."""
        with self._lock:
            self._advance(version)

    def snapshot(self) -> RouteCacheSnapshot:
        """Return the counters and the settings, consistent with each other."""
        with self._lock:
            return RouteCacheSnapshot(
                enabled=self._enabled,
                negative_cache=self._negative_cache,
                max_entries=self._max_entries,
                version=self._version,
                entries=len(self._entries),
                hits=self._hits,
                negative_hits=self._negative_hits,
                misses=self._misses,
                evictions=self._evictions,
                invalidations=self._invalidations,
            )

    def _advance(self, version: int) -> None:
        if version > self._version:
            self._version = version
            self._invalidations += 1
            self._entries.clear()
