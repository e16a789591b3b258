"""Helpers for tests of channels and tests that use channels; no test framework is needed.

`check_channel` checks an implementation against the contract of `SecureChannel`. `check_wire`
checks that it rejects bad bytes, if bytes can be written to its wire (`ChannelPair.inject`).
`CHANNEL_CLAIMS` and `WIRE_CLAIMS` are the single checks. `memory_channel_pair` returns two
connected ends without a socket, `tcp_channel_pair` two over loopback TCP.
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
