"""Helpers for tests of the control plane and of attacks on it; no test framework is needed.

`check_server` checks an implementation of the supervisor's end against the contract of
`ControlServer`; `SERVER_CLAIMS` are the single claims. A `Stranger` is an unauthenticated peer that
sends arbitrary bytes, a `Traitor` is an admitted worker that then breaks the rules, and `forge`
makes a signed message with any of its parts changed.
"""

from sk_control.testing._bench import ControlServerLike, MakeServer, ServerBench
from sk_control.testing._claims import SERVER_CLAIMS
from sk_control.testing._clock import ManualClock
from sk_control.testing._forge import forge, token_key
from sk_control.testing._stranger import Stranger, StrangersStream
from sk_control.testing._suite import ServerClaim, check_server, check_server_claim
from sk_control.testing._traitor import Traitor

__all__ = [
    "SERVER_CLAIMS",
    "ControlServerLike",
    "MakeServer",
    "ManualClock",
    "ServerBench",
    "ServerClaim",
    "Stranger",
    "StrangersStream",
    "Traitor",
    "check_server",
    "check_server_claim",
    "forge",
    "token_key",
]
