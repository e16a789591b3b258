"""The application part of a bundle: the supervisor writes it, the worker is built from it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from sk_kernel import ApplicationSpec
from sk_kernel.runtime import UNREADABLE, ApplicationContext, BatchLimits, ExecutionPlan, make_plan

from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor.errors import BundleRejectedError


class ChildBootstrapBundle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ``application`` part of a control bundle: plain data; every object is built in the child.

    ``workers`` maps each place to its worker; ``shared`` maps the groups with several workers to
    their number; ``restartable`` are the groups whose workers may be replaced; ``link`` has the
    limits of the data link; ``spans`` are the trace exporters, (kind, settings), each of which may
    take ``flush_seconds`` at the end; ``source_seconds`` is how long the source may go on reading
    after its interrupt; ``letters`` is the folder for dead letters, empty if there can be none.
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
    """Encode the bundle as JSON."""
    return msgspec.json.encode(bundle)


def decode_bundle(data: bytes) -> ChildBootstrapBundle:
    """Decode the bundle in ``data``.

    :raises BundleRejectedError: when it is invalid; the message contains no value of it.
    """
    try:
        return msgspec.json.decode(data, type=ChildBootstrapBundle)
    except UNREADABLE as error:
        raise BundleRejectedError(type(error).__name__) from None


class LoadedBundle(NamedTuple):
    """A bundle, and the application and plan that this process has built from it."""

    bundle: ChildBootstrapBundle
    application: ApplicationContext
    plan: ExecutionPlan


def load_child_bootstrap_bundle(data: bytes) -> LoadedBundle:
    """Discover the application of a bundle and plan its execution, as each worker does at start.

    :param data: the ``application`` part of a control bundle (:class:`sk_control.BootstrapBundle`).
    :raises BundleRejectedError: when it is invalid, or discovery finds other nodes than it names.
    :raises KernelError: when discovery fails.
    """
    bundle = decode_bundle(data)
    application = ApplicationContext(bundle.application)
    return LoadedBundle(bundle, application, _plan_of(application, bundle))


def _plan_of(application: ApplicationContext, bundle: ChildBootstrapBundle) -> ExecutionPlan:
    """Make the plan, which is the same in every process."""
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
