"""Checking an implementation of the supervisor's end against the claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from sk_control.errors import ControlError
from sk_control.testing._bench import MakeServer, ServerBench
from sk_control.testing._claims import SERVER_CLAIMS

ServerClaim: TypeAlias = Callable[[ServerBench], None]
"""Checks one promise, and raises `AssertionError` if a server does not keep it."""


def check_server_claim(claim: ServerClaim, make_server: MakeServer) -> None:
    """Check one claim on a new server; raises `AssertionError`, with the claim's name in a note."""
    with ServerBench(make_server) as bench:
        try:
            _call(claim, bench)
        except AssertionError as broken:
            broken.add_note(f"the claim: {claim.__name__}: {claim.__doc__}")
            raise


def check_server(make_server: MakeServer) -> None:
    """Check an implementation against the contract of `ControlServer`, all of `SERVER_CLAIMS`.

    `make_server` is called once for each claim. Raises `AssertionError` at the first claim that
    does not hold.
    """
    for claim in SERVER_CLAIMS:
        check_server_claim(claim, make_server)


def _call(claim: ServerClaim, bench: ServerBench) -> None:
    try:
        claim(bench)
    except ControlError as fault:
        raise AssertionError(f"the server raised {type(fault).__name__}: {fault}") from fault
