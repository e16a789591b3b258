"""A pair of channels over loopback TCP."""

from __future__ import annotations

from sk_transport._keys import KeyMaterial
from sk_transport._limits import FrameLimits
from sk_transport._link import LinkKeys
from sk_transport._socket import Deadline, send_parts
from sk_transport._tcp import SecureTcpTransport
from sk_transport.testing._expect import SOON, Background
from sk_transport.testing._pair import ChannelPair


def tcp_channel_pair(
    limits: FrameLimits | None = None,
    *,
    session: str = "session",
    left: str = "left",
    right: str = "right",
) -> ChannelPair:
    """Return the two ends of a new link over loopback TCP, with fresh keys; `left` is the client.

    `inject` writes to the socket of `left`, so it must not be called while `left` sends.
    """
    keys = LinkKeys.derive(KeyMaterial.generated(), session, client=left, server=right)
    server = SecureTcpTransport(session=session, identity=right, frames=limits)
    client = SecureTcpTransport(session=session, identity=left, frames=limits)
    with server.listen({left: keys}.get) as listener:
        accepted = Background(lambda: listener.accept(SOON))
        connected = client.connect(listener.address, server=right, keys=keys, timeout=SOON)

        def inject(raw: bytes) -> None:
            send_parts(connected._sock, (raw,), Deadline("inject", SOON))

        return ChannelPair(connected, accepted.result(), inject=inject)
