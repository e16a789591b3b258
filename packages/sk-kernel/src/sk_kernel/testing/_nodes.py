"""Calling one node as the runtime would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sk_kernel._batch import Batch, Rows
from sk_kernel._batch_call import BatchCall, BatchRaisedError
from sk_kernel._calls import Identity, NodeCall
from sk_kernel._container import Container
from sk_kernel._context import Context
from sk_kernel._envelope import Correlation, Envelope
from sk_kernel._flow import Outlet
from sk_kernel._ids import TraceIds
from sk_kernel._making import made_node
from sk_kernel._settings import build_settings, settings_faults
from sk_kernel._specs import SPEC_ATTRIBUTE, Emission, NodeSpec, StateSpec
from sk_kernel.errors import DefinitionError, NodeOutputError, PreflightError

_RUN = Context("test", "test", "test", "", 1, "")


def run_node(
    node: Any,
    *payloads: Any,
    settings: Any = None,
    states: Iterable[object] = (),
    services: Iterable[object] = (),
    context: Context | None = None,
    finish: bool = False,
) -> list[Any]:
    """What a declared node emits for ``payloads``, in order: payloads, or envelopes as returned.

    Where a run would use its ``process_batch``, that is called, too, behind ``__call__`` and on the
    same instance, and must return what that did.

    :param settings: an instance of the node's model, or a mapping as a configuration has it.
    :param states: instances to inject; one that is needed and not given is made, one that the node
        can do without (``| None``) is None.
    :param services: instances to inject, by the class that the node asks for or one derived of it.
    :param context: what a node with a Context sees; its ``sequence`` is the first payload's.
    :param finish: whether input ends behind the payloads: what ``finish()`` gives comes last.
    :raises DefinitionError: when ``node`` is not declared with ``@node``.
    :raises PreflightError: when the settings are not right.
    :raises ResolutionError: when a service is missing or the node cannot be made.
    :raises NodeFailedError, NodeOutputError: as in a run.
    """
    spec = getattr(node, "__dict__", {}).get(SPEC_ATTRIBUTE)
    if not isinstance(spec, NodeSpec):
        raise DefinitionError("node", getattr(node, "__name__", repr(node)), "has no @node")
    made = _made(spec, settings, [*states, *services])
    seen = context or _RUN
    batch = Batch(1, seen.sequence, seen.sequence + len(payloads) - 1)
    keys = range(batch.first, batch.last + 1)
    if context:
        known = Correlation(seen.trace_id, seen.reply_to, dict(seen.headers))
        batch.correlations.update(dict.fromkeys(keys, known))
    identity = Identity(seen.run_id, seen.scenario, seen.group, TraceIds(seen.run_id))
    with asyncio.Runner() as loop:
        call = NodeCall(spec, made, identity, loop=loop)
        outputs = call.map(batch, Rows(keys, payloads, ()))
        if payloads and spec.processes_batches and not _uses_state(spec, [*states]):
            _require_same_at_once(spec.name, made, payloads, outputs, seen.sequence)
        emitted = _emitted(Outlet(spec.name, spec.emits, ()), keys, outputs)
        if finish and spec.finish:
            end = [batch.last + 1]
            emitted += _emitted(Outlet(spec.name, spec.finish, ()), end, [call.finish()])
    return emitted


def _require_same_at_once(
    name: str, node: Any, payloads: Sequence[Any], outputs: Sequence[Any], first: int
) -> None:
    try:
        at_once = BatchCall(name, node.process_batch)(payloads)
    except BatchRaisedError as raised:
        raise raised.of(name) from raised.error
    for sequence, (one, other) in enumerate(zip(outputs, at_once, strict=True), first):
        if one != other:
            got = "something else from process_batch than from __call__"
            raise NodeOutputError(name, got, "", sequence)


def _uses_state(spec: NodeSpec, given: Sequence[object]) -> bool:
    return any(
        parameter.required or any(isinstance(each, parameter.cls) for each in given)
        for parameter in spec.parameters
        if isinstance(getattr(parameter.cls, "__dict__", {}).get(SPEC_ATTRIBUTE), StateSpec)
    )


def _made(spec: NodeSpec, settings: Any, given: list[object]) -> Any:
    container = Container()
    for parameter in spec.parameters:
        own = getattr(parameter.cls, "__dict__", {}).get(SPEC_ATTRIBUTE)
        for instance in given:
            if isinstance(instance, parameter.cls):
                container.provide(parameter.cls, instance)
        if isinstance(own, StateSpec) and parameter.required and not container.provides(own.cls):
            container.provide(own.cls, own.cls())
    return made_node(spec, _settings(spec, settings), container, lambda _: True)


def _settings(spec: NodeSpec, given: Any) -> tuple[Any, ...]:
    if spec.settings_model and isinstance(given, spec.settings_model):
        return (given,)
    mapping: Mapping[str, Any] = {} if given is None else given
    if faults := settings_faults(spec.settings_model, mapping, f"nodes.{spec.name}"):
        raise PreflightError(faults)
    return (build_settings(spec.settings_model, mapping),) if spec.settings_model else ()


def _emitted(outlet: Outlet, keys: Sequence[int], outputs: Sequence[Any]) -> list[Any]:
    declared = outlet.declared
    emitted = []
    for key, output in zip(keys, outputs, strict=True):
        several = output if declared.many and output is not None else [output]
        if not isinstance(several, list | tuple):
            raise outlet.refuse(several, key)
        for payload in several:
            if not _is_declared(declared, payload):
                raise outlet.refuse(payload, key)
            if payload is not None:
                emitted.append(payload)
    return emitted


def _is_declared(declared: Emission, payload: Any) -> bool:
    if payload is None:
        return declared.droppable
    bare = payload
    if declared.enveloped and isinstance(payload, Envelope):
        bare = payload.payload
    return any(type(bare) is t.cls for t in declared.types)
