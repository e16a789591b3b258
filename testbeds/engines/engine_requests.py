"""Stories of a run that has no input but requests."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_engines import Engine
from engine_commands import Told
from engine_configuration import HARMED, PATIENCE, REQUESTS, RUN_ID, configuration, places
from engines_app import Number, Weighed
from sk_config import build_config
from sk_kernel import BoundaryDispatchInput, Envelope, TerminalEvent, UnknownRouteError
from sk_kernel.runtime import ReplyCounters
from sk_supervisor import Service, ServiceFailedError, serve


@dataclass(frozen=True)
class Asked(Told):
    """A run that has no input but requests, and what came of each."""

    outcomes: dict[str, TerminalEvent]
    outputs: Sequence[Envelope[Any]]
    refusal: UnknownRouteError


def asked(engine: Engine, folder: Path) -> Asked:
    """Ask nodes by requests, and in the blocking form, and end the run while one is in flight.

    ``weigh`` waits with the last one until the drain has begun.
    """
    group, gate = places(engine), folder / "gate"
    os.mkfifo(gate)
    weigh = {"at": HARMED, "do": "wait", "gate": str(gate)}
    told = folder / "told"
    beside = {"events": [{"kind": "jsonl", "settings": {"path": str(told)}}]}
    config = build_config(
        configuration(engine, folder, weigh=weigh, adapters=REQUESTS, beside=beside)
    )
    inputs = [
        BoundaryDispatchInput(Number(3), group["weigh"], "weigh", trace_id="a", reply_to="x"),
        BoundaryDispatchInput(
            Weighed(4, 4, "given"), group["tally"], "tally", trace_id="b", reply_to="y"
        ),
    ]
    stray = BoundaryDispatchInput(Number(5), "no such group", "weigh")
    outcomes: dict[str, TerminalEvent] = {}
    with _opened_in_drain(gate, told), serve(config, run_id=RUN_ID) as it:
        plain = it.request(Envelope(Number(1), trace_id="plain", reply_to="caller"))
        outcomes["plain"] = plain.wait(PATIENCE)
        outputs = it.execute_boundary(inputs).terminal_outputs
        try:
            it.execute_boundary([stray])
        except UnknownRouteError as error:
            refusal = error
        late = it.request(Envelope(Number(HARMED), trace_id="late"))
    outcomes["late"] = late.wait(0)
    return Asked(folder, 0, "", outcomes, outputs, refusal)


@contextmanager
def _opened_in_drain(gate: Path, told: Path) -> Iterator[None]:
    """Open a gate once the event ``drain_begun`` comes out of the pipe of events."""
    os.mkfifo(told)

    def hear() -> None:
        with told.open("rb") as events:  # returns when the run writes, and is read to its end
            for event in events:
                if b'"drain_begun"' in event:
                    held.write(b"x")

    with gate.open("r+b", buffering=0) as held:
        thread = threading.Thread(target=hear, name="gate", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # if the run has never written
                os.close(os.open(told, os.O_WRONLY | os.O_NONBLOCK))
            thread.join(PATIENCE)


def killed_on_request(engine: Engine, folder: Path) -> tuple[TerminalEvent, ServiceFailedError]:
    """A request on which ``weigh`` kills its worker, and what the run ends with."""
    weigh = {"at": HARMED, "do": "kill"}
    config = build_config(configuration(engine, folder, weigh=weigh, adapters=REQUESTS))
    try:
        with serve(config, run_id=RUN_ID) as it:
            outcome = it.request(Envelope(Number(HARMED))).wait(PATIENCE)
    except ServiceFailedError as error:
        return outcome, error
    raise AssertionError("a run whose worker was killed has ended well")


def late_reply(engine: Engine, folder: Path) -> tuple[TerminalEvent, ReplyCounters]:
    """A request whose time is over while ``weigh`` is at it, and the counts once it has replied."""
    gate = folder / "gate"
    os.mkfifo(gate)
    weigh = {"at": HARMED, "do": "wait", "gate": str(gate)}
    config = build_config(configuration(engine, folder, weigh=weigh, adapters=REQUESTS))
    with gate.open("r+b", buffering=0) as held, serve(config, run_id=RUN_ID) as it:
        outcome = it.request(Envelope(Number(HARMED)), timeout_seconds=2).wait(PATIENCE)
        held.write(b"x")
        return outcome, _counted_behind(it)


def two_replies(engine: Engine, folder: Path) -> tuple[TerminalEvent, ReplyCounters]:
    """A request that ``weigh`` makes two of, and the counts once both have replied."""
    weigh = {"at": HARMED, "do": "twice"}
    config = build_config(configuration(engine, folder, weigh=weigh, adapters=REQUESTS))
    with serve(config, run_id=RUN_ID) as it:
        outcome = it.request(Envelope(Number(HARMED))).wait(PATIENCE)
        return outcome, _counted_behind(it)


def _counted_behind(it: Service) -> ReplyCounters:
    """The counts when whatever came of the first request has come.

    Of two workers that take numbers in turn, the third has its worker; its ending has its counter.
    """
    for n in (1, HARMED + 100):
        it.request(Envelope(Number(n))).wait(PATIENCE)
    return it.status().requests
