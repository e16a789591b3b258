"""What is found of a request that has failed: a traceback in a log, an event of its trace."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asked_app import Ask
from asked_overlapping import Enter
from asking import FOUR, asked
from sk_kernel import BoundaryDispatchInput, Envelope, NodeFailedError, RequestExpiredError
from sk_supervisor import Service, ServiceFailedError, serve
from sk_supervisor._requests.faults import BURST, RequestFaults
from supervisor_heard import Heard, hearing

PATIENCE = 30.0
#: Long enough to be called before it is over, on a machine that is held up.
SOON = 2.0
CALLERS = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(scope="module", params=["memory", "four"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with serve(asked(None if request.param == "memory" else FOUR)) as served:
        yield served


@pytest.fixture
def heard() -> Iterator[Heard]:
    with hearing("sk_supervisor", "ValueError: secret 404") as found:
        yield found


def test_the_traceback_of_a_failed_request_is_logged_without_being_asked_for(
    service: Service, heard: Heard
) -> None:
    outcome = service.request(Envelope(Ask(404, do="raise:third"), trace_id=CALLERS))
    assert outcome.wait(PATIENCE).cause_type == "ValueError"
    assert heard.came.wait(PATIENCE)
    text = "\n".join(line for _, line in heard.lines)
    assert (
        f"a request has failed: node 'third' raised ValueError on a request (trace {CALLERS})"
        in text
    )
    assert "asked_app.py" in text
    assert "sk_kernel" not in text
    assert min(level for level, _ in heard.lines) >= logging.WARNING


class Unfit(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("no receiver")


def test_a_logging_handler_that_raises_is_shown_and_does_not_reach_the_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unfit, log = Unfit(), logging.getLogger("sk_supervisor.requests")
    log.addHandler(unfit)
    try:
        RequestFaults().tell(NodeFailedError("third", "ValueError"))
    finally:
        log.removeHandler(unfit)
    assert capsys.readouterr().err.endswith("RuntimeError: no receiver\n")


WAITING = {"name": "one", "nodes": ["passing"], "runner_profile": "async"}


@pytest.fixture(scope="module", params=["memory", "processes"])
def waiting(request: pytest.FixtureRequest) -> Iterator[Service]:
    groups = None if request.param == "memory" else (WAITING,)
    with serve(asked(groups, modules=("asked_overlapping",))) as served:
        yield served


def test_a_request_that_is_cancelled_as_its_time_is_over_is_one_line_of_level_warning(
    waiting: Service, heard: Heard
) -> None:
    heard.last = CALLERS
    late = waiting.request(Envelope(Enter(waits="never"), trace_id=CALLERS), timeout_seconds=SOON)
    assert late.wait(PATIENCE).status == "timeout"
    assert heard.came.wait(PATIENCE)
    ((level, line),) = heard.lines
    assert level == logging.WARNING
    assert re.search(
        r"a request was cancelled: its time was over in node 'passing'"
        rf" \([^ ]*asked_overlapping.py, line \d+\) \(trace {CALLERS}\)$",
        line,
    )


def test_where_a_node_stood_is_its_own_line_wherever_the_application_lies(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    heard.last = "its time was over in node 'passing'"
    with serve(asked(None, modules=("asked_overlapping",))) as service:
        late = service.request(Envelope(Enter(waits="never, elsewhere")), timeout_seconds=SOON)
        assert late.wait(PATIENCE).status == "timeout"
        assert heard.came.wait(PATIENCE)
    [line] = [line for _, line in heard.lines if heard.last in line]
    assert re.search(r" \(/[^ ]*/asked_overlapping.py, line \d+\)", line)


def test_what_a_node_raises_as_it_is_cancelled_is_shown_with_its_traceback(
    waiting: Service, heard: Heard
) -> None:
    heard.last = "KeyError: 'breaks'"
    late = waiting.request(Envelope(Enter(waits="breaks")), timeout_seconds=SOON)
    assert late.wait(PATIENCE).status == "timeout"
    assert heard.came.wait(PATIENCE)
    text = "\n".join(line for _, line in heard.lines)
    assert "a request was cancelled: its time was over in node 'passing'" in text
    assert "raise KeyError(enter.waits)" in text


def test_a_failure_is_shown_however_many_requests_were_cancelled_before_it(heard: Heard) -> None:
    faults = RequestFaults(clock=lambda: 0.0)
    late = NodeFailedError("slow", "RequestExpiredError")
    late.__cause__ = RequestExpiredError("slow")
    for _ in range(BURST + 5):
        faults.tell(late)
    faults.tell(NodeFailedError("wrong", "KeyError"))
    faults.tell_rest()
    assert heard.lines[BURST:] == [
        (logging.ERROR, "a request has failed: node 'wrong' raised KeyError"),
        (logging.WARNING, "5 more requests were cancelled, and are not shown"),
    ]


def test_the_event_of_a_failed_request_says_whose_it_is_where_and_of_what(
    service: Service,
) -> None:
    envelope = Envelope(Ask(1, do="raise:third"), trace_id=CALLERS)
    outcome = service.request(envelope).wait(PATIENCE)
    service.request(Envelope(Ask(2))).wait(PATIENCE)
    events = _handoffs_failed(service, outcome.worker)
    assert (events[-1].group, events[-1].worker) == (outcome.group, outcome.worker)
    assert events[-1].trace_id == CALLERS
    failed = {"category": "execution", "node": "third", "cause_type": "ValueError"}
    assert events[-1].fields == failed


def _handoffs_failed(service: Service, worker: str) -> list[Any]:
    """The events of failed requests in a worker; the supervisor's loop may be about to tell."""
    turned = threading.Event()
    ping = getattr(service._supervisor, "ping", None)
    if ping is not None:
        ping(turned.set)
        assert turned.wait(PATIENCE)
    events = service._supervisor.lifecycle_events()
    return [e for e in events if e.name == "handoff_failed" and e.worker == worker]


def test_of_a_flood_of_failures_a_few_are_shown_and_the_rest_counted(heard: Heard) -> None:
    now = [0.0]
    faults = RequestFaults(lambda text: text.replace("hidden", "***"), clock=lambda: now[0])
    for _ in range(BURST + 5):
        faults.tell(NodeFailedError("hidden", "KeyError"))
    assert [line for _, line in heard.lines] == [
        "a request has failed: node '***' raised KeyError"
    ] * BURST
    now[0] += 1.0
    faults.tell(NodeFailedError("again", "KeyError"))
    faults.tell(NodeFailedError("again", "KeyError"))
    faults.tell_rest()
    faults.tell_rest()
    assert [line for _, line in heard.lines][BURST:] == [
        "5 more requests have failed, and are not shown",
        "a request has failed: node 'again' raised KeyError",
        "1 more requests have failed, and are not shown",
    ]


def test_a_group_that_there_is_not_leaves_no_request_behind(service: Service) -> None:
    before = service.status().requests.registered
    known = BoundaryDispatchInput(Ask(1), service.status().groups[0].name, "first")
    with pytest.raises(Exception, match="no route: there is no group 'nope'"):
        service.execute_boundary([known, BoundaryDispatchInput(Ask(1), "nope", "first")])
    assert service.status().requests.registered == before


def test_the_error_of_a_service_says_error_once() -> None:
    assert str(ServiceFailedError(4, "error: worker a-0.1 failed\n  and so on\n")) == (
        "worker a-0.1 failed\n  and so on"
    )
