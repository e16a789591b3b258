"""For tests of channels, and with channels: no test framework needed.

`check_channel` holds any implementation to the contract of `SecureChannel`; `check_wire` holds one
whose wire can be written to (`ChannelPair.inject`) to what it must refuse. `CHANNEL_CLAIMS` and
`WIRE_CLAIMS` are the single claims. `memory_channel_pair` makes two ends without a socket,
`tcp_channel_pair` two over loopback.
"""

from sk_transport.testing._channel_claims import CHANNEL_CLAIMS
from sk_transport.testing._memory import MemoryChannel, memory_channel_pair
from sk_transport.testing._pair import ChannelEnd, ChannelPair, MakePair
from sk_transport.testing._suite import Claim, check_channel, check_claim, check_wire
from sk_transport.testing._tcp_pair import tcp_channel_pair
from sk_transport.testing._wire_claims import WIRE_CLAIMS

__all__ = [
    "CHANNEL_CLAIMS",
    "WIRE_CLAIMS",
    "ChannelEnd",
    "ChannelPair",
    "Claim",
    "MakePair",
    "MemoryChannel",
    "check_channel",
    "check_claim",
    "check_wire",
    "memory_channel_pair",
    "tcp_channel_pair",
]
