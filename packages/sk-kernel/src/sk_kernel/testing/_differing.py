"""Finding where two outputs of a node differ, by their contents and not by their ``==``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any, Final

import msgspec

from sk_kernel._wire.codec_errors import UNSENDABLE
from sk_kernel._wire.inside import MISSING, Part, parts_of

#: Types whose equal values are the same; sets are among them, since they have no order.
_PLAIN: Final = (type(None), bool, int, str, bytes, bytearray, type, set, frozenset)

_encode = msgspec.msgpack.Encoder().encode


def difference(one: object, other: object) -> str | None:
    """Return where ``other`` differs from ``one``, in names without values; None if it does not.

    Values are the same if they have the same MessagePack bytes: ``1`` is not ``1.0``, ``0.0`` is
    not ``-0.0``, a NaN equals a NaN, and mappings have their keys in the same order. Values without
    a MessagePack form are the same if their class says so, or else if :mod:`pickle` would store the
    same for both.
    """
    return _difference(one, other, type(one).__qualname__, [])


def _difference(one: Any, other: Any, way: str, above: list[tuple[Any, Any]]) -> str | None:
    if one is other or any(one is a and other is b for a, b in above):  # may contain itself
        return None
    if one is MISSING or other is MISSING:
        return f"{way}: one lacks it"
    if type(one) is not type(other):
        names = f"{type(other).__qualname__}, not {type(one).__qualname__}"
        return f"{way}: {names}" if above else names
    if isinstance(one, float):
        return None if repr(one) == repr(other) else way
    if isinstance(one, _PLAIN):
        return None if one == other else way
    own, its = parts_of(one), parts_of(other)
    if own is None or its is None:
        same = _are_same(one, other)
        if same is not None:
            return None if same else way
        own, its = _taken(one), _taken(other)
    if own is None or its is None:
        return way
    above = [*above, (one, other)]
    for (step, mine), (last, that) in zip_longest(own, its, fillvalue=("", MISSING)):
        found = _difference(mine, that, way + (step or last), above)
        if found is not None:
            return found
    return None


def _are_same(one: Any, other: Any) -> bool | None:
    """Return whether the bytes are the same, or the class says the values are; None if neither."""
    try:
        return _encode(one) == _encode(other)
    except UNSENDABLE:
        pass
    try:
        return bool(one == other) or None
    except Exception:  # noqa: BLE001 - the class's own code raised: it has not said so
        return None


def _taken(value: Any) -> list[Part] | None:
    """Return what :mod:`pickle` would store of a value; None if it cannot."""
    try:
        taken = value.__reduce_ex__(4)
        if isinstance(taken, str):
            return [("", taken)]
        arguments, state = taken[1], taken[2] if len(taken) > 2 else None
        items = [list(each) for each in taken[3:5] if each is not None]
    except Exception:  # noqa: BLE001 - as above: a lock, a generator
        return None
    several = state if isinstance(state, tuple) else (state,)
    states = [dict(each) if isinstance(each, Mapping) else {"": each} for each in several]
    named = [(f".{name}" if name else "", part) for each in states for name, part in each.items()]
    return [("", arguments), *named, *(("", each) for each in items)]
