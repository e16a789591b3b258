"""What a worker is built from, as the supervisor writes it and the worker reads it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sk_kernel import ApplicationSpec
from sk_kernel.runtime import UNREADABLE, ApplicationContext, BatchLimits, ExecutionPlan, make_plan

from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor.errors import BundleRejectedError


class ChildBootstrapBundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``application`` part of a control bundle: plain data; every object is built in the child.

    ``workers`` is the worker in each place, ``shared`` the number of them of groups that have
    several, ``link`` what its data link allows; ``restartable`` are the groups whose workers may be
    replaced; ``spans`` are the trace exporters, (kind, settings), each of which may take
    ``flush_seconds`` at the end; ``source_seconds`` is how long the source may go on reading once
    it has been interrupted; ``letters`` is the folder that dead letters are written into, if there
    can be any.
    """

    application: ApplicationSpec
    group_of: dict[str, str]
    workers: dict[str, str]
    shared: dict[str, int] = {}
    restartable: list[str] = []
    limits: BatchLimits
    link: LinkLimits
    sampling_ratio: float = 1.0
    spans: list[tuple[str, dict[str, Any]]] = []
    flush_seconds: float = 5.0
    source_seconds: float = 1.0
    letters: str = ""


def encode_bundle(bundle: ChildBootstrapBundle) -> bytes:
    """The bundle as JSON."""
    return msgspec.json.encode(bundle)


def decode_bundle(data: bytes) -> ChildBootstrapBundle:
    """The bundle in ``data``.

    :raises BundleRejectedError: when it is none; the message holds no value of it.
    """
    try:
        return msgspec.json.decode(data, type=ChildBootstrapBundle)
    except UNREADABLE as error:
        raise BundleRejectedError(type(error).__name__) from None


class LoadedBundle(NamedTuple):
    """A bundle, and what a process has built from it: nothing of it is another process's."""

    bundle: ChildBootstrapBundle
    application: ApplicationContext
    plan: ExecutionPlan


def load_child_bootstrap_bundle(data: bytes) -> LoadedBundle:
    """Discover, connect and plan, in this process, what a bundle says: as each worker begins.

    :param data: the ``application`` part of a control bundle (:class:`sk_control.BootstrapBundle`).
    :raises BundleRejectedError: when it is none, or discovery finds other nodes than it names.
    :raises KernelError: when discovery fails.
    """
    bundle = decode_bundle(data)
    application = ApplicationContext(bundle.application)
    return LoadedBundle(bundle, application, _plan_of(application, bundle))


def _plan_of(application: ApplicationContext, bundle: ChildBootstrapBundle) -> ExecutionPlan:
    """The plan that every process derives alike from its own discovery."""
    missing = set(application.graph.order) ^ bundle.group_of.keys()
    if missing:
        raise BundleRejectedError(f"discovery differs from the supervisor's: {sorted(missing)}")
    return make_plan(
        application.graph,
        bundle.group_of,
        application.all_states,
        workers_of=bundle.shared,
        key_of=application.state_keys,
    )
