"""A hub over real sockets, and workers that are threads of this process."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from sk_config import build_config
from sk_kernel.runtime import ExecutionPlan
from sk_supervisor import prepare
from sk_supervisor._hub.hub import DataHub
from sk_supervisor._hub.relay import Relay
from sk_supervisor._protocol.edges import EdgeKeys
from sk_supervisor._protocol.frames import HUB, BatchHeader
from sk_supervisor._protocol.link_limits import LinkLimits
from sk_supervisor._protocol.worker_ids import place_edges
from sk_supervisor._worker.data_plane import DataPlaneChannel
from sk_supervisor._worker.inbox import BatchArrived
from sk_transport import Channel, KeyMaterial, SecureChannel, Signer, TransportError
from supervisor_harness import left_since, settings, threads

WORKERS = {"in-0": "in-0.1", "mid-0": "mid-0.1", "out-0": "out-0.1"}
SESSION = "session"
LIMITS = LinkLimits(max_payload_bytes=100_000, nonce_capacity=1000)

Made = TypeVar("Made", bound="Hub")


class Peer:
    """A worker's end: what arrived, what credit it has, and why its connection ended."""

    def __init__(self, data_plane: DataPlaneChannel) -> None:
        self.data_plane = data_plane
        self.arrived: queue.SimpleQueue[BatchArrived] = queue.SimpleQueue()
        self.credit: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.ended: queue.SimpleQueue[TransportError] = queue.SimpleQueue()
        self.listening = threading.Thread(target=self._listen)

    def listen(self) -> Peer:
        """Take what comes from now on."""
        self.listening.start()
        return self

    def _listen(self) -> None:
        try:
            self.data_plane.listen(self.arrived.put, self.credit.put)
        except TransportError as error:
            self.ended.put(error)

    def send(self, epoch: int, payload: bytes, *, to: int = 1, **changes: Any) -> None:
        """A batch of one record from the first segment."""
        receiver = self.data_plane.worker_at(("in-0", "mid-0", "out-0")[to])
        header = BatchHeader(
            **{
                "sender": self.data_plane.worker_id,
                "receiver": receiver,
                "run_id": "r1",
                "scenario_id": "s",
                "epoch": epoch,
                "first": epoch,
                "last": epoch,
                "source_segment": 0,
                "target_segment": to,
                "more": False,
                "complete": True,
                "sampled": False,
                **changes,
            }
        )
        self.data_plane.send(header, payload, final=False)

    def close(self) -> None:
        """Hang up."""
        self.data_plane.shutdown()
        if self.listening.ident:
            self.listening.join()
        self.data_plane.close()


def edges_of(plan: ExecutionPlan, workers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Which of these workers send each other something."""
    return [(workers[a], workers[b]) for a, b in place_edges(plan)]


class Hub:
    """A hub, its faults, and the workers that dial it."""

    def __init__(self) -> None:
        self._plan = plan = prepare(build_config(settings(Path("out.txt")))).plan
        self.faults: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self.rejects: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._keys = EdgeKeys(
            KeyMaterial.generated(), SESSION, edges_of(plan, WORKERS), "hkdf_sha256"
        )
        self.relay = Relay(plan, WORKERS)
        self.hub = DataHub(
            self.relay,
            self._keys,
            session=SESSION,
            expected=frozenset(WORKERS.values()),
            host="127.0.0.1",
            port=0,
            limits=LIMITS,
            on_fault=lambda *fault: self.faults.put(fault),
            on_reject=self.rejects.put,
        )
        self._peers: list[Peer] = []

    def dial(
        self,
        group: str,
        keys_of: str | None = None,
        address: tuple[str, int] | None = None,
        workers: Mapping[str, str] = WORKERS,
        **options: Any,
    ) -> Peer:
        """Connect a worker, with its own keys or those of another group."""
        edges = edges_of(self._plan, workers)
        peer = Peer(
            DataPlaneChannel(
                session=SESSION,
                worker_id=workers.get(f"{group}-0", group),
                run_id="r1",
                scenario_id="s",
                keys=self._keys.bundle(WORKERS.get(f"{keys_of or group}-0", group), edges),
                address=address or self.hub.address,
                workers=workers,
                limits=LIMITS,
                **options,
            )
        )
        self._peers.append(peer)
        return peer

    def connect(self, worker: str) -> SecureChannel:
        """A worker's link itself, for what no data_plane sends."""
        transport = LIMITS.transport(SESSION, worker)
        return transport.connect(self.hub.address, server=HUB, keys=self._keys.link(worker))

    def signer(self, sender: str, receiver: str, time_ns: int) -> Signer:
        """What seals a worker's frames for another one, all of them at one time."""
        channel = Channel(SESSION, sender, receiver)
        return Signer(channel, self._keys.between(sender, receiver), clock=lambda: time_ns)

    def close(self) -> None:
        """Hang up on everybody."""
        self.hub.close()
        for peer in self._peers:
            peer.close()


@contextlib.contextmanager
def begun(made: Callable[[], Made]) -> Iterator[Made]:
    """A hub that relays, and of which no thread is left."""
    before = threads()
    hub = made()
    hub.hub.start()
    yield hub
    hub.close()
    assert not left_since(before)
