"""Checking the output of a node or a source against its declaration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sk_kernel._batch.flow import Outlet
from sk_kernel._declare.specs import Emission
from sk_kernel._record.envelope import Envelope
from sk_kernel._wire.portable import is_portable
from sk_kernel._wire.refused import require_carried


def emitted(outlet: Outlet, keys: Sequence[int], outputs: Sequence[Any]) -> list[Any]:
    """Return the payloads, or envelopes as returned, in the ``outputs`` for ``keys``.

    :raises NodeOutputError: for a payload that is not declared, or one that cannot be sent to
        another process although its class can.
    """
    declared = outlet.declared
    portable = {t.cls for t in declared.types if is_portable(t)}
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
                bare = _bare(declared, payload)
                if type(bare) in portable:
                    require_carried(outlet.producer, key, bare)
    return found


def _is_declared(declared: Emission, payload: Any) -> bool:
    if payload is None:
        return declared.droppable
    return any(type(_bare(declared, payload)) is t.cls for t in declared.types)


def _bare(declared: Emission, payload: Any) -> Any:
    enveloped = declared.enveloped and isinstance(payload, Envelope)
    return payload.payload if enveloped else payload
