"""The contract of the supervisor's end, on `ControlServer`."""

from __future__ import annotations

from typing import Any

import pytest
from sk_control import ControlServer
from sk_control.testing import (
    SERVER_CLAIMS,
    ControlServerLike,
    ServerClaim,
    Stranger,
    check_server,
    check_server_claim,
)


@pytest.mark.contract(
    "P5PRE-CTRL-01",
    "P5PRE-CTRL-02",
    "P5PRE-CTRL-03",
    "P5PRE-CTRL-04",
    "P5PRE-CTRL-05",
    "P5PRE-CTRL-06",
    "KEY-IPC-03",
)
@pytest.mark.parametrize("claim", SERVER_CLAIMS, ids=[claim.__name__ for claim in SERVER_CLAIMS])
def test_the_server_keeps_its_promises(claim: ServerClaim) -> None:
    check_server_claim(claim, ControlServer)


def test_a_broken_promise_is_named() -> None:
    """A server that hangs up before its worker comes is no server."""

    def closed(*names: Any, **options: Any) -> ControlServerLike:
        server = ControlServer(*names, **options)
        server.close()
        return server

    with pytest.raises(AssertionError, match="the server raised ControlClosedError") as caught:
        check_server(closed)
    assert caught.value.__notes__[0].startswith(
        "the claim: a_worker_goes_from_hello_to_its_last_word: "
    )


def test_a_stream_that_nobody_ends_is_told_from_a_refusal() -> None:
    """And a method that there is none of has the status of gRPC."""

    def ask(claim_server: ControlServerLike) -> tuple[str, str]:
        with Stranger(claim_server.address) as stranger:
            return stranger.strike(timeout=0.05), stranger.strike(b"", method="/sk/None")

    def claim(bench: Any) -> None:
        assert ask(bench.server) == ("OPEN", "UNIMPLEMENTED")

    check_server_claim(claim, ControlServer)
