"""`health`: who answers probes, where, and the delay before a drain."""

from __future__ import annotations

import pytest
from sk_config import build_config

LISTENERS = pytest.mark.parametrize("listener", ["http", "grpc"])


def _health(minimal, **values):
    minimal["runtime"]["platform"] = {"health": values}
    return build_config(minimal).runtime.platform.health


def test_nothing_answers_probes_and_nothing_is_delayed_by_default(minimal):
    health = build_config(minimal).runtime.platform.health
    assert (health.http, health.grpc, health.drain_delay_seconds) == (None, None, 0)
    assert not health.enabled


@LISTENERS
def test_a_listener_stays_on_this_machine_unless_it_is_told_otherwise(minimal, listener):
    health = _health(minimal, **{listener: {}})
    chosen = getattr(health, listener)
    assert (chosen.bind_host, chosen.bind_port, health.enabled) == ("127.0.0.1", 0, True)


@LISTENERS
@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "::1", "fd00::7"])  # noqa: S104
def test_a_listener_may_be_bound_to_the_address_of_a_pod(minimal, listener, host):
    chosen = getattr(_health(minimal, **{listener: {"bind_host": host}}), listener)
    assert chosen.bind_host == host


@LISTENERS
@pytest.mark.parametrize("host", ["localhost", "pod.local", "10.1.2", "[::1]", "fe80::1%eth0", " "])
def test_a_name_is_no_address(refused_platform, listener, host):
    fault = refused_platform({"health": {listener: {"bind_host": host}}})[
        f"health.{listener}.bind_host"
    ]
    assert fault.category == "bad_value"


def test_the_fault_of_a_name_says_what_is_expected(refused_platform):
    fault = refused_platform({"health": {"http": {"bind_host": "localhost"}}})[
        "health.http.bind_host"
    ]
    assert fault.expected == "an IP address, such as 0.0.0.0"


@LISTENERS
@pytest.mark.parametrize("port", [-1, 65536, True, "80", 80.0, None])
def test_a_port_is_an_integer_in_its_range(refused_platform, listener, port):
    assert f"health.{listener}.bind_port" in refused_platform(
        {"health": {listener: {"bind_port": port}}}
    )


@pytest.mark.parametrize("delay", [-1, 86_401, True, "5", 0.5, None])
def test_a_delay_is_a_number_of_seconds_up_to_a_day(refused_platform, delay):
    faults = refused_platform({"health": {"http": {}, "drain_delay_seconds": delay}})
    assert "health.drain_delay_seconds" in faults


@LISTENERS
def test_a_delay_needs_one_listener_of_either_kind(minimal, listener):
    health = _health(minimal, **{listener: {}}, drain_delay_seconds=5)
    assert health.drain_delay_seconds == 5


def test_a_delay_for_which_nobody_listens_is_a_conflict(refused_platform):
    fault = refused_platform({"health": {"drain_delay_seconds": 5}})["health.drain_delay_seconds"]
    assert fault.category == "conflict"


def test_two_listeners_on_one_port_are_a_conflict(refused_platform):
    listeners = {"http": {"bind_port": 8080}, "grpc": {"bind_port": 8080}}
    assert refused_platform({"health": listeners})["health.grpc.bind_port"].category == "conflict"


def test_two_listeners_may_both_take_a_free_port(minimal):
    health = _health(minimal, http={"bind_port": 0}, grpc={"bind_port": 0})
    assert health.enabled


@pytest.mark.parametrize("health", [None, [], "on", True, {"http": []}, {"https": {}}])
def test_an_invalid_shape_is_rejected(refused_platform, health):
    assert any(path.startswith("health") for path in refused_platform({"health": health}))
