"""The manifests of docs/kubernetes.md hold what the configuration in them asks for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from sk_config import Config, parse_config
from source_tree import ROOT

PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MANIFESTS = [found for block in BLOCKS for found in yaml.safe_load_all(block)]
MARGIN_SECONDS = 5
#: Within how many seconds the loop answers, as the page says.
ANSWER_SECONDS = 1
PATHS = {"startupProbe": "startupz", "livenessProbe": "livez", "readinessProbe": "readyz"}


def of_kind(kind: str) -> list[dict[str, Any]]:
    return [manifest for manifest in MANIFESTS if manifest.get("kind") == kind]


WORKLOADS = of_kind("Deployment") + of_kind("Job")
each_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=lambda found: found["kind"])


def pod_of(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def container_of(workload: dict[str, Any]) -> dict[str, Any]:
    [container] = pod_of(workload)["containers"]
    assert isinstance(container, dict)
    return container


def config_of(workload: dict[str, Any]) -> Config:
    """The configuration that the workload's container is started with."""
    pod, container = pod_of(workload), container_of(workload)
    sk, run, path = container["command"]
    assert (sk, run) == ("sk", "run")
    folder, _, file = path.rpartition("/")
    [volume] = [m["name"] for m in container["volumeMounts"] if m["mountPath"] == folder]
    [name] = [v["configMap"]["name"] for v in pod["volumes"] if v["name"] == volume]
    [text] = [c["data"][file] for c in of_kind("ConfigMap") if c["metadata"]["name"] == name]
    environ = {variable["name"]: "10.0.0.7" for variable in container["env"]}
    return parse_config(text, environ=environ)


def probes_of(workload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    container = container_of(workload)
    return {name: container[name] for name in PATHS if name in container}


def patience(probe: dict[str, Any]) -> int:
    """Seconds in which a probe that says no is acted upon, at the latest."""
    seconds: int = probe["periodSeconds"] * probe["failureThreshold"] + probe["timeoutSeconds"]
    return seconds


def pre_stop_seconds(workload: dict[str, Any]) -> int:
    hook = container_of(workload).get("lifecycle", {}).get("preStop")
    if hook is None:
        return 0
    program, seconds = hook["exec"]["command"]
    assert program == "sleep"
    return int(seconds)


def test_the_page_has_a_workload_for_each_kind_of_source() -> None:
    assert [workload["kind"] for workload in WORKLOADS] == ["Deployment", "Job"]
    kinds = {"ConfigMap", "Deployment", "Job"}
    assert {manifest["kind"] for manifest in MANIFESTS if "kind" in manifest} == kinds


@each_workload
def test_the_grace_period_is_the_sum_that_the_page_says(workload: dict[str, Any]) -> None:
    platform = config_of(workload).runtime.platform
    stop = max(group.stop_timeout_seconds for group in platform.process_groups)
    needed = pre_stop_seconds(workload) + platform.health.drain_delay_seconds + stop
    assert pod_of(workload)["terminationGracePeriodSeconds"] == needed + MARGIN_SECONDS


@each_workload
def test_a_start_may_take_as_long_as_its_configuration_allows(workload: dict[str, Any]) -> None:
    startup = probes_of(workload)["startupProbe"]
    allowed = config_of(workload).runtime.platform.readiness_timeout_seconds
    assert startup["periodSeconds"] * startup["failureThreshold"] > allowed


@each_workload
def test_every_probe_asks_for_its_own_check_where_something_listens(
    workload: dict[str, Any],
) -> None:
    health = config_of(workload).runtime.platform.health
    ports = {port["name"]: port["containerPort"] for port in container_of(workload)["ports"]}
    for name, probe in probes_of(workload).items():
        if "httpGet" in probe:
            assert health.http is not None
            assert probe["httpGet"]["path"] == f"/{PATHS[name]}"
            assert ports[probe["httpGet"]["port"]] == health.http.bind_port
        else:
            assert health.grpc is not None
            assert probe["grpc"] == {"port": health.grpc.bind_port, "service": PATHS[name]}
        assert probe["timeoutSeconds"] > ANSWER_SECONDS


@each_workload
def test_what_listens_is_bound_to_the_address_of_the_pod(workload: dict[str, Any]) -> None:
    health = config_of(workload).runtime.platform.health
    listeners = [listener for listener in (health.http, health.grpc) if listener]
    assert {listener.bind_host for listener in listeners} == {"10.0.0.7"}
    ports = {port["containerPort"] for port in container_of(workload)["ports"]}
    assert ports == {listener.bind_port for listener in listeners}


def test_the_end_of_readiness_is_seen_before_the_drain_begins() -> None:
    [deployment] = of_kind("Deployment")
    delay = config_of(deployment).runtime.platform.health.drain_delay_seconds
    assert 0 < patience(probes_of(deployment)["readinessProbe"]) <= delay


def test_a_job_which_nobody_calls_has_no_readiness_and_delays_nothing() -> None:
    [job] = of_kind("Job")
    assert probes_of(job).keys() == {"startupProbe", "livenessProbe"}
    assert config_of(job).runtime.platform.health.drain_delay_seconds == 0


def test_the_job_is_the_shipped_workload_on_four_processes() -> None:
    [job] = of_kind("Job")
    groups = [group.name for group in config_of(job).runtime.platform.process_groups]
    assert groups == [f"execution.{name}" for name in ("ingress", "features", "policy", "egress")]
