"""The keys of the data plane: one for each pair of workers that a frame can travel between.

The worker that sends a batch signs it for the worker that receives it. The hub between them routes
it by its header and has no key at hand to sign a changed frame, so a mistake there is noticed.
Frames between hub and worker (acknowledgements, credit) are signed with the keys of their link.
"""

from __future__ import annotations

from collections.abc import Iterable

from sk_control import BootstrapKeyBundle
from sk_transport import Channel, KeyMaterial, LinkKeys, Secret

from sk_supervisor._protocol.frames import CLIENT, HUB

_TO_HUB, _FROM_HUB = "data.to.hub", "data.from.hub"
_TO, _FROM = "data.to.worker.", "data.from.worker."


class EdgeKeys:
    """Derives the keys of one session from its secret, in the supervisor.

    :param kdf: ``hkdf_sha256``, or ``none`` (a static secret as it is, development only).
    """

    def __init__(
        self,
        material: KeyMaterial,
        session: str,
        edges: Iterable[tuple[str, str]],
        kdf: str,
    ) -> None:
        self._material, self._session, self._kdf = material, session, kdf
        self._edges = tuple(edges)

    def link(self, worker: str) -> LinkKeys:
        """The keys of the link between a worker and the hub."""
        return LinkKeys.derive(self._material, self._session, worker, HUB, self._kdf)  # type: ignore[arg-type]

    def bundle(
        self, worker: str, edges: Iterable[tuple[str, str]] | None = None
    ) -> BootstrapKeyBundle:
        """The keys that a worker needs, and no others.

        :param edges: the current pairs, if workers have been replaced.
        """
        link = self.link(worker)
        hub = {_TO_HUB: link.to_server, _FROM_HUB: link.to_client}
        shared = self.shared(worker, self._edges if edges is None else edges)
        return BootstrapKeyBundle({**hub, **shared})

    def shared(self, worker: str, edges: Iterable[tuple[str, str]]) -> BootstrapKeyBundle:
        """The keys of those ``edges`` of which the worker is one end."""
        keys = {}
        for sender, receiver in edges:
            if sender == worker:
                keys[_TO + receiver] = self.between(sender, receiver)
            if receiver == worker:
                keys[_FROM + sender] = self.between(sender, receiver)
        return BootstrapKeyBundle(keys)

    def between(self, sender: str, receiver: str) -> Secret:
        """The key with which ``sender`` signs frames for ``receiver``."""
        channel = Channel(self._session, sender, receiver)
        return self._material.for_channel(channel, self._kdf)  # type: ignore[arg-type]


def client_edges(worker: str) -> tuple[tuple[str, str], ...]:
    """The pairs (sender, receiver) of a worker and the supervisor's end of requests."""
    return ((CLIENT, worker), (worker, CLIENT))


def link_keys(bundle: BootstrapKeyBundle) -> LinkKeys:
    """The keys of the link to the hub, from a worker's keys."""
    return LinkKeys(bundle[_TO_HUB], bundle[_FROM_HUB])


def receivers(bundle: BootstrapKeyBundle) -> dict[str, Secret]:
    """The key for each peer that this worker sends frames to."""
    return {name.removeprefix(_TO): bundle[name] for name in bundle if name.startswith(_TO)}


def senders(bundle: BootstrapKeyBundle) -> dict[str, Secret]:
    """The key for each peer that this worker receives frames from."""
    return {name.removeprefix(_FROM): bundle[name] for name in bundle if name.startswith(_FROM)}
