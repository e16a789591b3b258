"""What a node or a source has given, held to what it declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sk_kernel._batch.flow import Outlet
from sk_kernel._declare.specs import Emission
from sk_kernel._record.envelope import Envelope


def emitted(outlet: Outlet, keys: Sequence[int], outputs: Sequence[Any]) -> list[Any]:
    """The payloads, and envelopes as returned, of the ``outputs`` for ``keys``.

    :raises NodeOutputError: for one that is not declared.
    """
    declared = outlet.declared
    found = []
    for key, output in zip(keys, outputs, strict=True):
        several = output if declared.many and output is not None else [output]
        if not isinstance(several, list | tuple):
            raise outlet.refuse(several, key)
        for payload in several:
            if not _is_declared(declared, payload):
                raise outlet.refuse(payload, key)
            if payload is not None:
                found.append(payload)
    return found


def _is_declared(declared: Emission, payload: Any) -> bool:
    if payload is None:
        return declared.droppable
    bare = payload
    if declared.enveloped and isinstance(payload, Envelope):
        bare = payload.payload
    return any(type(bare) is t.cls for t in declared.types)
