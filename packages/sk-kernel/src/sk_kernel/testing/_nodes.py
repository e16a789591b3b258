"""Calling one node as the runtime does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from sk_kernel._application.making import made_node
from sk_kernel._batch.batch import Batch, Rows
from sk_kernel._batch.flow import Outlet
from sk_kernel._calls.batch_call import BatchCall, BatchRaisedError
from sk_kernel._calls.calls import NodeCall
from sk_kernel._calls.contexts import Identity
from sk_kernel._declare.context import Context
from sk_kernel._declare.specs import SPEC_ATTRIBUTE, NodeSpec, StateSpec
from sk_kernel._record.envelope import Correlation
from sk_kernel._record.ids import TraceIds
from sk_kernel._run.loops import loop_if
from sk_kernel.errors import DefinitionError, NodeOutputError
from sk_kernel.testing._differing import difference
from sk_kernel.testing._emitted import emitted
from sk_kernel.testing._given import given_settings, provided, require_taken

_RUN = Context("test", "test", "test", "", 1, "")
#: The most characters of a payload that a note shows.
_SHOWN = 500


def run_node(
    node: Any,
    *payloads: Any,
    settings: Any = None,
    states: Iterable[object] = (),
    services: Iterable[object] = (),
    service_settings: Mapping[str, Any] | None = None,
    context: Context | None = None,
    finish: bool = False,
) -> list[Any]:
    """Call a declared node on ``payloads``; return what it emits, in order, with any envelopes.

    If a run would use the node's ``process_batch``, that is called after ``__call__``, on the same
    instance, and must return the same: the same classes with the same contents, whether or not they
    have an ``__eq__``. A note on the error shows the two payloads that differ.

    An output that cannot be sent to another process (a number of numpy's for a ``float``, say) is
    rejected if its class can be sent.

    :param settings: an instance of the node's model, or a mapping as in a configuration.
    :param states: instances to inject. One that is needed and not given is created; one that is
        optional for the node (``| None``) is None.
    :param services: instances to inject, for a parameter of their class or of a base class. A
        ``@service`` that is needed and not given is checked, created and closed as in a run.
    :param service_settings: the settings of each ``@service`` that is created, by its name: an
        instance of its model, or a mapping as in a configuration.
    :param context: the context for a node that asks for one; its ``sequence`` is the first
        payload's.
    :param finish: whether the input ends after the payloads: the output of ``finish()`` comes last.
    :raises DefinitionError: when ``node`` is not declared with ``@node``.
    :raises PreflightError: when settings are wrong, or the node does not consume a payload's class.
    :raises ResolutionError: when something is needed that is not given and is no ``@service``
        itself, or the node cannot be created.
    :raises NodeFailedError, NodeOutputError: as in a run.
    :raises LifecycleCallError: when it is a coroutine and this thread runs an event loop already.
    """
    spec = getattr(node, "__dict__", {}).get(SPEC_ATTRIBUTE)
    if not isinstance(spec, NodeSpec):
        raise DefinitionError("node", getattr(node, "__name__", repr(node)), "has no @node")
    require_taken(spec.name, spec.consumes, payloads)
    container = provided(spec.name, spec.parameters, [*states, *services], service_settings)
    own = given_settings(spec.settings_model, settings, f"nodes.{spec.name}")
    seen = context or _RUN
    batch = Batch(1, seen.sequence, seen.sequence + len(payloads) - 1)
    keys = range(batch.first, batch.last + 1)
    if context:
        known = Correlation(seen.trace_id, seen.reply_to, dict(seen.headers))
        batch.correlations.update(dict.fromkeys(keys, known))
    identity = Identity(seen.run_id, seen.scenario, seen.group, TraceIds(seen.run_id))
    needed = spec.is_async or (finish and spec.finish_is_async)
    with loop_if(needed=needed) as loop, ExitStack() as ends:
        ends.callback(container.close, loop)
        made = made_node(spec, own, container, lambda _: True)
        call = NodeCall(spec, made, identity, loop=loop)
        outputs = call.call_batch(batch, Rows(keys, payloads, ()))
        if payloads and spec.processes_batches and not _uses_state(spec, [*states]):
            _require_same_at_once(spec.name, made, payloads, outputs, seen.sequence)
        given = emitted(Outlet(spec.name, spec.emits, ()), keys, outputs)
        if finish and spec.finish:
            given += emitted(Outlet(spec.name, spec.finish, ()), [batch.last + 1], [call.finish()])
    return given


def _require_same_at_once(
    name: str, node: Any, payloads: Sequence[Any], outputs: Sequence[Any], first: int
) -> None:
    try:
        at_once = BatchCall(name, node.process_batch)(payloads)
    except BatchRaisedError as raised:
        raise raised.of(name) from raised.error
    for sequence, (one, other) in enumerate(zip(outputs, at_once, strict=True), first):
        if (differs := difference(one, other)) is not None:
            got = f"something else from process_batch than from __call__ ({differs})"
            error = NodeOutputError(name, got, "", sequence)
            error.add_note(f"__call__:      {_short(one)}\nprocess_batch: {_short(other)}")
            raise error


def _short(output: object) -> str:
    shown = repr(output)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def _uses_state(spec: NodeSpec, given: Sequence[object]) -> bool:
    return any(
        parameter.required or any(isinstance(each, parameter.cls) for each in given)
        for parameter in spec.parameters
        if isinstance(getattr(parameter.cls, "__dict__", {}).get(SPEC_ATTRIBUTE), StateSpec)
    )
