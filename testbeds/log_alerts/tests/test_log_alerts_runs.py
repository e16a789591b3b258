"""The configurations: golden output, the same wherever it runs, and a request."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from log_alerts.payloads import LogLine, Message
from sk_config import Config
from sk_kernel import Envelope
from sk_supervisor import run, serve

Configure = Callable[..., Config]

EXPECTED = Path(__file__).parent.parent / "alerts.expected.txt"
DETECT = "runtime.platform.process_groups[1]"

ONLY_REQUESTS = (
    "adapters.source={name: requests}",
    "adapters.sink={name: replies}",
)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("memory.yaml", []),
        ("processes.yaml", []),
        ("processes.yaml", [f"{DETECT}.workers=3", "runtime.platform.batch.max_records=4"]),
    ],
    ids=["memory", "four processes", "three workers for the keyed group"],
)
def test_the_log_gives_the_expected_alerts(
    configure: Configure, tmp_path: Path, name: str, overrides: list[str]
) -> None:
    told = io.StringIO()
    code = run(configure(name, *overrides), quiet=True, stderr=told)
    assert (code, told.getvalue()) == (0, "")
    assert (tmp_path / "alerts.txt").read_bytes() == EXPECTED.read_bytes()


def test_a_run_over_processes_answers_requests(configure: Configure) -> None:
    with serve(configure("processes.yaml", *ONLY_REQUESTS)) as service:
        first, second = (
            service.request(Envelope(LogLine(1, f"{at} web-1 GET /cart 900"))).wait()
            for at in (10, 20)
        )
    assert (first.status, first.payload) == ("success", Message("10 web-1: /cart took 900 ms"))
    # The second finds the state of the first, and is withheld: a reply without a payload.
    assert (second.status, second.payload) == ("success", None)
