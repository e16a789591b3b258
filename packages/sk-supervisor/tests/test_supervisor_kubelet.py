"""A kubelet and a real ``sk run``: probes, preStop, SIGTERM, grace, SIGKILL, on one timeline."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthStub
from sk_config import HealthConfig, HealthListenerConfig
from sk_supervisor._health.checks import HealthChecks
from sk_supervisor._health.pulse_check import PulseCheck
from sk_supervisor._health.server import health_server
from supervisor_harness import (
    GROUPS,
    ONE_GROUP,
    PATIENCE,
    Command,
    Ears,
    Heard,
    expected,
    gone,
    settings,
    supervised,
    until,
    written,
)
from supervisor_kubelet import Kubelet
from supervisor_probing import probe

Start = Callable[..., Kubelet]
Sk = Callable[..., Command]
Ask = Callable[..., tuple[int, str, str]]

CHECKS = ("startupz", "livez", "readyz")
DELAY = 1
#: Longer than a test lasts: what is seen during it is seen before the drain.
LONG = {"drain_delay_seconds": 600}
PROFILES = pytest.mark.parametrize("mode", ["process_supervisor", "inline"])


def pod(target: Path, mode: str = "process_supervisor", **changes: Any) -> dict[str, Any]:
    """A configuration that answers probes and lets a second pass before it drains."""
    health = {"http": {}, "grpc": {}, "drain_delay_seconds": DELAY, **changes.pop("health", {})}
    groups = changes.pop("groups", GROUPS)
    groups = groups if mode == "process_supervisor" else ()
    return settings(target, mode=mode, groups=groups, platform={"health": health}, **changes)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    begun: list[Kubelet] = []

    def start(configuration: dict[str, Any]) -> Kubelet:
        begun.append(Kubelet(tmp_path, configuration))
        return begun[-1]

    yield start
    for kubelet in begun:
        kubelet.container.end()


def hear(ears: Ears, heard: dict[str, Heard], *wanted: str) -> None:
    """Listen until all of this has been said, in whatever order."""
    while not heard.keys() >= set(wanted):
        said = ears.hear_any()
        heard[said.facts["what"]] = said


def drained_behind(kubelet: Kubelet, what: str) -> bool:
    """Whether a run that is told of to its end began to drain behind this only, if at all."""
    assert kubelet.times("worker_stopped")
    return all(at > kubelet.when(what) for at in kubelet.times("drain_begun"))


@pytest.mark.contract("P5PRE-READY-01", "P5PRE-READY-03")
def test_the_life_of_a_pod_from_its_start_to_its_clean_end(
    target: Path, ears: Ears, start: Start
) -> None:
    """Not ready before the gate; ready; not ready while it stops; what was begun is done."""
    source = {"count": 20, "then": "wait", "ears": ears.port}
    work = {"born": "wait", "at": 5, "do": "hold", "ears": ears.port}
    kubelet = start(pod(target, source=source, work=work))

    heard: dict[str, Heard] = {}
    hear(ears, heard, "born")
    kubelet.ask_until("livez", 200)
    assert [kubelet.ask(check).status for check in ("startupz", "readyz")] == [503, 503]
    assert "mid" in kubelet.ask("startupz").body["missing"]
    kubelet.note("let go")
    heard["born"].let_go()
    kubelet.ask_until("startupz", 200)
    kubelet.ask_until("readyz", 200)

    hear(ears, heard, "open", "waiting", "here")
    pids = kubelet.pids()
    assert len(pids) == 1 + len(GROUPS)

    def while_it_stops() -> None:
        answer = kubelet.ask_until("readyz", 503)
        assert answer.body["reason"] == "asked to stop"
        for check in ("startupz", "livez"):
            kubelet.ask_until(check, 200)
        heard["here"].let_go()

    code = kubelet.terminate(
        PATIENCE, pre_stop=[sys.executable, "-c", ""], meanwhile=while_it_stops
    )
    assert code == 143, kubelet.err
    [opened], [requested] = (
        kubelet.times(name) for name in ("supervisor_start_workload", "stop_requested")
    )
    [drain] = kubelet.times("drain_begun")
    order = [
        kubelet.when("let go"),
        opened,
        kubelet.when("readyz 200"),
        kubelet.when("preStop"),
        kubelet.when("SIGTERM"),
        requested,
        drain,
        *sorted(kubelet.times("worker_drained")),
        kubelet.when("gone"),
    ]
    assert order == sorted(order)
    assert drain - requested >= DELAY * 0.99e9
    # What was in flight was worked off, in order, to the last record that had been read.
    partial = target.with_suffix(".partial").read_text().splitlines()
    assert partial == [*expected(20), "aborted"]
    assert gone(pids, within=0)


@pytest.mark.contract("P5PRE-READY-01")
def test_the_memory_profile_too_waits_for_its_delay_before_it_drains(
    target: Path, ears: Ears, start: Start
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    kubelet = start(pod(target, mode="inline", source=source))
    ears.hear("open")
    ears.hear("waiting")
    kubelet.ask_until("startupz", 200)
    for check in CHECKS:
        kubelet.ask_until(check, 200)
    assert kubelet.terminate(PATIENCE) == 143
    [drain] = kubelet.times("drain_begun")
    assert drain - kubelet.when("SIGTERM") >= DELAY * 0.99e9
    partial = target.with_suffix(".partial").read_text().splitlines()
    assert partial == [*expected(20), "aborted"]


@pytest.mark.contract("P5PRE-READY-01")
@PROFILES
def test_during_the_delay_it_is_not_ready_and_a_second_signal_does_not_wait_for_it(
    target: Path, ears: Ears, start: Start, mode: str
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    kubelet = start(pod(target, mode=mode, source=source, health=LONG, groups=ONE_GROUP))
    ears.hear("open")
    ears.hear("waiting")
    kubelet.ask_until("readyz", 200)

    def while_it_stops() -> None:
        answer = kubelet.ask_until("readyz", 503)
        assert answer.body["reason"] == "asked to stop"
        for check in ("startupz", "livez"):
            kubelet.ask_until(check, 200)
        kubelet.insist()

    assert kubelet.terminate(PATIENCE, meanwhile=while_it_stops) == 5, kubelet.err
    assert drained_behind(kubelet, "SIGINT")


@PROFILES
def test_a_run_that_ends_by_itself_during_the_delay_is_done(
    target: Path, ears: Ears, start: Start, mode: str
) -> None:
    """What is asked to stop and has no more to do has done all of it."""
    work = {"at": 5, "do": "hold", "ears": ears.port}
    kubelet = start(pod(target, mode=mode, work=work, health=LONG, groups=ONE_GROUP))
    held = ears.hear("here")

    def while_it_stops() -> None:
        kubelet.ask_until("readyz", 503)
        held.let_go()

    assert kubelet.terminate(PATIENCE, meanwhile=while_it_stops) == 0, kubelet.err
    assert target.read_text().splitlines() == expected(20)


@pytest.mark.contract("P5PRE-LIFE-05")
def test_a_pod_whose_grace_is_over_is_killed_and_leaves_no_process(
    target: Path, ears: Ears, start: Start
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    work = {"at": 5, "do": "hold", "ears": ears.port}
    kubelet = start(pod(target, source=source, work=work))
    hear(ears, {}, "open", "waiting", "here")
    kubelet.ask_until("readyz", 200)
    pids = kubelet.pids()
    assert kubelet.terminate(0.5) == -signal.SIGKILL
    assert [what for what, _ in kubelet.timeline[-3:]] == ["SIGTERM", "SIGKILL", "gone"]
    assert gone(pids)
    assert target.read_text() == "old\n"


@pytest.mark.contract("P5PRE-READY-03")
def test_grpc_answers_on_a_port_of_its_own_and_hears_of_the_stop(
    target: Path, ears: Ears, start: Start
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    kubelet = start(pod(target, source=source, health=LONG))
    ears.hear("open")
    ears.hear("waiting")
    assert kubelet.addresses["grpc"] != kubelet.addresses["http"]
    with grpc.insecure_channel(kubelet.addresses["grpc"], [("grpc.enable_http_proxy", 0)]) as link:
        stub: Any = HealthStub(link)
        watch = stub.Watch(pb.HealthCheckRequest(service="readyz"), timeout=PATIENCE)
        states = [next(watch).status]
        if states == [pb.HealthCheckResponse.NOT_SERVING]:  # it was quicker than the gate
            states = [next(watch).status]
        assert states == [pb.HealthCheckResponse.SERVING]

        def serves(service: str) -> bool:
            answer = stub.Check(pb.HealthCheckRequest(service=service), timeout=PATIENCE)
            return bool(answer.status == pb.HealthCheckResponse.SERVING)

        for service in ("", *CHECKS):
            until(partial(serves, service), f"it serves: {service}")

        def while_it_stops() -> None:
            assert next(watch).status == pb.HealthCheckResponse.NOT_SERVING
            kubelet.insist()

        assert kubelet.terminate(PATIENCE, meanwhile=while_it_stops) == 5
    assert drained_behind(kubelet, "SIGINT")


@pytest.mark.contract("P5PRE-READY-03")
def test_only_the_supervisor_listens_for_probes_and_apart_from_its_other_ports(
    target: Path, ears: Ears, start: Start
) -> None:
    source = {"count": 20, "then": "wait", "ears": ears.port}
    kubelet = start(pod(target, source=source, health={"http": {"bind_host": "0.0.0.0"}}))  # noqa: S104
    ears.hear("open")
    ears.hear("waiting")
    health = {int(kubelet.addresses[kind].rpartition(":")[2]) for kind in ("http", "grpc")}
    ports = listened(kubelet.container.process.pid)
    assert health < ports
    assert len(ports - health) == 2  # control and data
    assert all(not listened(worker.pid) for worker in kubelet.container.workers())
    assert kubelet.terminate(PATIENCE) == 143


def listened(pid: int) -> set[int]:
    """The ports that a process listens on."""
    links = psutil.Process(pid).net_connections("inet")
    return {link.laddr.port for link in links if link.status == psutil.CONN_LISTEN}


@PROFILES
@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_a_port_that_is_taken_fails_the_start(
    target: Path, ask: Ask, ears: Ears, mode: str, kind: str
) -> None:
    code, _, err = ask("run", pod(target, mode=mode, health={kind: {"bind_port": ears.port}}))
    assert code == 3
    where = f"runtime.platform.health.{kind}: cannot listen on 127.0.0.1:{ears.port}"
    assert f"error: {where}: Address already in use" in err
    assert "Traceback" not in err
    assert target.read_text() == "old\n"


@pytest.mark.parametrize(("kind", "module"), [("http", "h11"), ("grpc", "grpc_health")])
def test_a_listener_whose_library_is_missing_is_a_fault_that_names_the_extra(
    target: Path, sk: Sk, tmp_path: Path, kind: str, module: str
) -> None:
    path = written(tmp_path, pod(target, health={"http": None, "grpc": None, kind: {}}))
    program = (
        f"import sys; sys.modules[{module!r}] = None\n"
        f"from sk_supervisor.cli import main; main(['check', {path!r}])"
    )
    checked = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent / "apps",
        timeout=PATIENCE,
    )
    assert checked.returncode == 2
    assert f"runtime.platform.health.{kind}: " in checked.stderr
    assert "pip install 'sk-supervisor[health]'" in checked.stderr


def test_nothing_of_health_is_loaded_where_it_is_off(target: Path, tmp_path: Path) -> None:
    path = written(tmp_path, settings(target, mode="inline", groups=()))
    program = (
        "import sys\n"
        "from sk_config import load_config\n"
        "from sk_supervisor import run\n"
        f"code = run(load_config({path!r}), quiet=True)\n"
        "late = {'h11', 'grpc_health.v1', 'sk_supervisor._health.server'}\n"
        "sys.exit(code or ', '.join(late & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent / "apps",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr


# ---- the supervisor by itself ------------------------------------------------------------------


@pytest.mark.contract("P5PRE-READY-01")
def test_readiness_ends_before_the_first_worker_is_asked_to_leave(target: Path) -> None:
    with supervised(target) as run:
        run.ready()
        seen: list[tuple[str, bool]] = []
        run.on_state = lambda _, state: seen.append((state, run.supervisor.snapshot().ready))
        assert not run.supervisor.snapshot().started
        run.supervisor.run()
        assert run.supervisor.snapshot().started
        run.supervisor.shutdown()
    assert ("running", True) in seen
    assert not any(ready for state, ready in seen if state in ("stopping", "stopped"))


@pytest.mark.contract("P5PRE-READY-03")
def test_the_supervisor_is_alive_while_its_loop_turns_and_not_otherwise(
    target: Path, ears: Ears
) -> None:
    config = HealthConfig(http=HealthListenerConfig())
    with supervised(target, work={"born": "wait", "ears": ears.port}) as run:
        run.start()
        ears.hear("born")
        pulse = PulseCheck(run.supervisor.ping)
        checks = HealthChecks(run.supervisor.snapshot, [g["name"] for g in GROUPS], pulse)
        with health_server(config, checks) as addresses, ThreadPoolExecutor(1) as other:
            answer = probe(addresses["http"], "/livez")  # nobody is in the loop just now
            assert answer.status == 503
            assert answer.body["reason"] == "the supervisor's loop has not answered for 1 s"
            asked = other.submit(probe, addresses["http"], "/livez")
            while not asked.done():
                assert not run.supervisor.wait_ready(0.05)
            assert asked.result().status == 200
