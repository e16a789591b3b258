"""The endpoints for the workers of one run: a control server and a data hub, with their keys."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from sk_control import (
    ControlEvent,
    ControlServer,
    ControlSettings,
    PeerReplaced,
    Refused,
    WorkerIdentity,
)
from sk_kernel.runtime import TraceIds
from sk_transport import KeyMaterial, Secret

from sk_supervisor._hub.hub import DataHub
from sk_supervisor._hub.refusals import Refusals
from sk_supervisor._hub.relay import Relay
from sk_supervisor._loop.loop_events import (
    AllAcknowledged,
    HandoffFailed,
    HubFault,
    HubLeft,
    LoopEvent,
    RecordsSkipped,
    RefusalsCame,
    SinkEnded,
)
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._processes.spawn import WorkerStart, standard_streams
from sk_supervisor._protocol.edges import EdgeKeys
from sk_supervisor._protocol.link_limits import link_limits
from sk_supervisor._protocol.worker_ids import group_of, incarnation_of, place_of, worker_name
from sk_supervisor._requests.client_keys import ClientKeys
from sk_supervisor._requests.faults import RequestFaults
from sk_supervisor._requests.gateway import RequestGateway
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._session.worker_bundles import WorkerBundles
from sk_supervisor._session.worker_directory import WorkerDirectory
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import RuntimeLifecycleResolutionError

if TYPE_CHECKING:
    from sk_config import AuthConfig, ControlConfig, ExecutionIpcConfig, GroupConfig


class Session:
    """Listens on two loopback ports from construction to :meth:`close`.

    :param put: called with each event, in threads of the session.
    :param letters: the folder to which workers write dead letters; empty if there can be none.
    :param profile: the folder to which workers write profiles; empty if the run is not profiled.
    :raises TransportError, ControlError: when a port cannot be bound.
    :raises OSError: when the system has no thread or descriptor left.
    """

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        *,
        put: Callable[[LoopEvent], None],
        refusals: Refusals,
        handoff: Handoff,
        letters: str = "",
        profile: str = "",
    ) -> None:
        self._profile = profile
        self._prepared, self._run_id, self._put = prepared, run_id, put
        self._refusals = refusals
        restartable = sorted(g.name for g in prepared.groups if g.restart.policy != "never")
        ipc = prepared.config.runtime.platform.execution_ipc
        if ipc.control is None:
            raise RuntimeLifecycleResolutionError("execution_ipc.control", "is not configured")
        self._id = secrets.token_hex(16)
        self._directory = WorkerDirectory(prepared.plan)
        workers = self._directory.now
        edges = self._directory.edges(workers)
        self._limits = link_limits(ipc)
        self._keys = EdgeKeys(material(ipc.auth), self._id, edges, ipc.auth.kdf)
        self._bundles = WorkerBundles(
            prepared,
            run_id,
            directory=self._directory,
            keys=self._keys,
            limits=self._limits,
            restartable=restartable,
            letters=letters,
        )
        self.relay = Relay(prepared.plan, workers, restartable)
        self.gateway = self._request_gateway(handoff)
        self.hub = self._data_hub(ipc)
        self._settings = _control_settings(ipc.control)
        with ExitStack() as opened:
            opened.callback(self.hub.close)
            self.control = self._control_server(ipc.control)
            opened.callback(self.control.close, timeout_seconds=1.0)
            self.hub.start()
            opened.pop_all()  # the session closes them from now on

    def _request_gateway(self, handoff: Handoff) -> RequestGateway:
        tracing = self._prepared.config.runtime.observability.tracing
        return RequestGateway(
            self._prepared.plan,
            ClientKeys(self._id, self._keys, self._limits),
            handoff.waiters,
            run_id=self._run_id,
            ids=TraceIds(self._run_id, tracing.sampling_ratio) if tracing.exporters else None,
            max_payload_bytes=self._limits.max_payload_bytes,
            workers=lambda: self._directory.now,
            wake=lambda: self.hub.wake(),
            on_failure=lambda outcome, trace: self._put(HandoffFailed(outcome, trace)),
            faults=RequestFaults(redactor_of(self._prepared.config)),
        )

    def _data_hub(self, ipc: ExecutionIpcConfig) -> DataHub:
        return DataHub(
            self.relay,
            self._keys,
            session=self._id,
            expected=self._directory.now.values(),
            host=ipc.bind_host,
            port=ipc.bind_port,
            limits=self._limits,
            on_reject=lambda category: self._refuse("data", category),
            on_fault=lambda *fault: self._put(HubFault(*fault)),
            on_complete=lambda: self._put(AllAcknowledged()),
            on_sink_ended=lambda worker, end: self._put(SinkEnded(worker, end)),
            on_skipped=lambda worker, count: self._put(RecordsSkipped(worker, count)),
            on_left=lambda worker: self._put(HubLeft(worker)),
            local_peer=self.gateway,
        )

    def _control_server(self, control: ControlConfig) -> ControlServer:
        return ControlServer(
            self._id,
            material(control.auth),
            workers=len(self._directory.now),
            bundle_for=lambda hello: self._bundles.bundle_for(hello, self.hub.address),
            on_event=self._on_control,
            host=control.bind_host,
            port=control.bind_port,
            settings=ControlSettings(**self._settings),
        )

    def invite(self, group: GroupConfig, index: int = 0, incarnation: int = 1) -> WorkerStart:
        """Allow a worker of a group to connect; return the arguments for the start of its process.

        :raises ControlError: when the session is closed.
        """
        worker_id = worker_name(group.name, index, incarnation)
        token = Secret.generate()
        identity = WorkerIdentity(worker_id, group.name, index, incarnation)
        self.hub.expect(worker_id)
        deadline = time.monotonic_ns() + group.start_timeout_seconds * 1_000_000_000
        self.control.expect(identity, token, deadline)
        return WorkerStart(
            worker_id=worker_id,
            group=group.name,
            index=index,
            incarnation=incarnation,
            address=self.control.address,
            token=token.reveal().hex(),
            session_id=self._id,
            deadline_seconds=group.start_timeout_seconds,
            control=self._settings,
            profile=self._profile,
            standard=standard_streams(self._prepared.plan, group.name),
        )

    def forget(self, worker: str) -> None:
        """Discard the state of a worker that is gone, as is its direct successor.

        If no successor was ever ready, the worker is still the one in its place. The hub must then
        remember it as gone, since frames for the place are still addressed to it.
        """
        self.control.forget(worker)
        if self._directory.now[place_of(worker)] != worker:
            self.hub.forget(worker)

    def take_over(self, worker: str) -> None:
        """Address frames for the place to this worker, which is ready. Idempotent."""
        former = self._directory.now[place_of(worker)]
        if self._directory.take_over(worker):
            self.relay.hand_over(worker)
            self.gateway.replaced(former)  # its waiting requests, too, if it never connected
            self.hub.forget(former)

    def news_for(self, worker: str) -> Iterator[PeerReplaced]:
        """Yield the messages about replaced peers that a ready worker has not been sent yet."""
        for place in self._directory.news(worker):
            workers = self._directory.now
            peer = workers[place]
            edges = [edge for edge in self._directory.edges(workers) if set(edge) == {worker, peer}]
            keys = self._keys.shared(worker, edges)
            yield PeerReplaced(group_of(peer), peer, incarnation_of(peer), keys)

    def addresses(self) -> dict[str, str]:
        """The addresses of both planes: ``data`` and ``control``, each ``host:port``."""
        host, port = self.hub.address
        return {"data": f"{host}:{port}", "control": self.control.address}

    def close(self) -> None:
        """Close both planes and all connections."""
        self.control.close(timeout_seconds=1.0)
        self.hub.close()

    def _on_control(self, event: ControlEvent) -> None:
        if isinstance(event, Refused):
            self._refuse("control", event.category)
        else:
            self._put(event)

    def _refuse(self, plane: str, category: str) -> None:
        if self._refusals.add(plane, category):
            self._put(RefusalsCame())


def _control_settings(control: ControlConfig) -> dict[str, Any]:
    """The limits and times of the control plane, which both ends use."""
    return {
        "ttl_seconds": control.auth.ttl_seconds,
        "nonce_capacity": control.auth.nonce_cache_size,
        "max_message_bytes": control.max_payload_bytes,
        "max_hello_bytes": control.admission.max_unauthenticated_bytes,
        "hello_timeout_seconds": control.admission.handshake_timeout_seconds,
        "max_waiting": control.admission.max_waiting,
    }


def material(auth: AuthConfig) -> KeyMaterial:
    """The secret that a configuration block selects: a new one, or the static one."""
    if auth.secret_mode == "static" and auth.secret is not None:  # noqa: S105 - a mode, no secret
        return KeyMaterial.static(Secret(auth.secret.get_secret_value().encode()))
    return KeyMaterial.generated()
