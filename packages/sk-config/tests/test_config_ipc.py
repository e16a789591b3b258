"""`execution_ipc`: transports, addresses, signing, limits and the control plane."""

from __future__ import annotations

import pytest
from sk_config import build_config

AUTH_BLOCKS = pytest.mark.parametrize("block", ["execution_ipc", "execution_ipc.control"])


def _ipc(block, **values):
    """A platform with these values in the data plane's block or in the control plane's."""
    return {"execution_ipc": {"control": values} if block.endswith("control") else values}


@pytest.mark.contract("CFG-IPC-01")
@pytest.mark.parametrize("transport", ["udp", "", "TCP_LOCAL", None, 3, ["memory"]])
def test_an_unknown_transport_is_rejected(refused_platform, transport):
    fault = refused_platform(_ipc("execution_ipc", transport=transport))["execution_ipc.transport"]
    assert (fault.category, fault.expected) == ("bad_value", "'memory' or 'tcp_local'")


@pytest.mark.contract("CFG-IPC-02")
@AUTH_BLOCKS
@pytest.mark.parametrize("mode", ["none", "rsa", True, {}])
def test_an_unknown_auth_mode_is_rejected(refused_platform, block, mode):
    fault = refused_platform(_ipc(block, auth={"mode": mode}))[f"{block}.auth.mode"]
    assert (fault.category, fault.expected) == ("bad_value", "'hmac'")


@pytest.mark.contract("CFG-IPC-03")
@AUTH_BLOCKS
@pytest.mark.parametrize("field", ["ttl_seconds", "nonce_cache_size"])
@pytest.mark.parametrize("value", [0, -1])
def test_ttl_and_nonce_cache_must_be_positive(refused_platform, block, field, value):
    fault = refused_platform(_ipc(block, auth={field: value}))[f"{block}.auth.{field}"]
    assert (fault.category, fault.expected) == ("bad_value", "at least 1")


@pytest.mark.contract("CFG-IPC-03")
@pytest.mark.parametrize("field", ["ttl_seconds", "nonce_cache_size"])
@pytest.mark.parametrize("value", [True, "30", 30.0, None, []])
def test_ttl_and_nonce_cache_must_be_integers(refused_platform, field, value):
    faults = refused_platform(_ipc("execution_ipc", auth={field: value}))
    fault = faults[f"execution_ipc.auth.{field}"]
    assert (fault.category, fault.expected) == ("wrong_type", "an integer")


@pytest.mark.contract("CFG-IPC-04")
@AUTH_BLOCKS
@pytest.mark.parametrize(
    ("value", "category"),
    [
        (0, "bad_value"),
        (-1, "bad_value"),
        (2**31, "bad_value"),
        (True, "wrong_type"),
        ("1", "wrong_type"),
    ],
)
def test_max_payload_bytes_must_be_a_positive_integer_below_two_gib(
    refused_platform, block, value, category
):
    fault = refused_platform(_ipc(block, max_payload_bytes=value))[f"{block}.max_payload_bytes"]
    assert fault.category == category


def test_the_messages_of_the_control_plane_have_room_for_what_a_worker_is_told(refused_platform):
    tight = _ipc("execution_ipc.control", max_payload_bytes=4_095)
    fault = refused_platform(tight)["execution_ipc.control.max_payload_bytes"]
    assert (fault.category, fault.expected) == ("bad_value", "at least 4096")


@pytest.mark.contract("CFG-IPC-05")
@AUTH_BLOCKS
@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "::1", "127.0.0.2", "", None])  # noqa: S104
def test_any_address_but_the_loopback_one_is_rejected(refused_platform, block, host):
    fault = refused_platform(_ipc(block, bind_host=host))[f"{block}.bind_host"]
    assert (fault.category, fault.expected) == ("bad_value", "'127.0.0.1'")


@AUTH_BLOCKS
@pytest.mark.parametrize("port", [-1, 65536, True, "80", 80.0])
def test_a_port_outside_its_range_is_rejected(refused_platform, block, port):
    assert f"{block}.bind_port" in refused_platform(_ipc(block, bind_port=port))


@AUTH_BLOCKS
@pytest.mark.parametrize("port", [0, 1, 65535])
def test_a_port_within_its_range_is_accepted(minimal, block, port):
    minimal["runtime"]["platform"] = _ipc(block, bind_port=port)
    build_config(minimal)


@pytest.mark.contract("BOOT-CFG-02")
@AUTH_BLOCKS
@pytest.mark.parametrize("mode", ["file", "", 1, None])
def test_an_invalid_secret_mode_is_rejected(refused_platform, block, mode):
    fault = refused_platform(_ipc(block, auth={"secret_mode": mode}))[f"{block}.auth.secret_mode"]
    assert (fault.category, fault.expected) == ("bad_value", "'generated' or 'static'")


@pytest.mark.contract("BOOT-CFG-03")
@AUTH_BLOCKS
@pytest.mark.parametrize("kdf", ["pbkdf2", "HKDF_SHA256", None])
def test_an_invalid_kdf_is_rejected(refused_platform, block, kdf):
    fault = refused_platform(_ipc(block, auth={"kdf": kdf}))[f"{block}.auth.kdf"]
    assert (fault.category, fault.expected) == ("bad_value", "'none' or 'hkdf_sha256'")


@AUTH_BLOCKS
def test_a_static_secret_mode_requires_a_secret(refused_platform, block):
    fault = refused_platform(_ipc(block, auth={"secret_mode": "static"}))[f"{block}.auth.secret"]
    assert fault.category == "missing"


@AUTH_BLOCKS
@pytest.mark.parametrize("auth", [{}, {"secret_mode": "generated"}])
def test_a_secret_without_static_mode_is_a_conflict(refused_platform, block, auth):
    fault = refused_platform(_ipc(block, auth={**auth, "secret": "x"}))[f"{block}.auth.secret"]
    assert fault.category == "conflict"


@pytest.mark.parametrize("secret", ["", 7, ["x"], "**********"])
def test_an_empty_secret_one_that_is_no_string_and_the_mask_of_a_dump_are_refused(
    refused_platform, secret
):
    auth = {"secret_mode": "static", "secret": secret}
    assert "execution_ipc.auth.secret" in refused_platform(_ipc("execution_ipc", auth=auth))


@AUTH_BLOCKS
def test_a_secret_that_can_be_guessed_is_refused_and_not_shown(refused_platform, block):
    auth = {"secret_mode": "static", "secret": "15 bytes of it."}
    fault = refused_platform(_ipc(block, auth=auth))[f"{block}.auth.secret"]
    assert (fault.category, fault.got) == ("bad_value", "fewer")
    assert "at least 16 bytes" in fault.expected


@pytest.mark.parametrize("secret", ["16 bytes of it..", "\u00e4\u00f6\u00fc\u00df" * 2])
def test_a_secret_of_16_bytes_is_taken_however_many_letters_they_are(minimal, secret):
    auth = {"secret_mode": "static", "secret": secret}
    minimal["runtime"]["platform"] = _ipc("execution_ipc", auth=auth)
    held = build_config(minimal).runtime.platform.execution_ipc.auth.secret
    assert held.get_secret_value() == secret


def test_a_static_secret_is_held_and_not_shown(minimal):
    minimal["runtime"]["platform"] = _ipc(
        "execution_ipc", auth={"secret_mode": "static", "secret": "abracadabra, abracadabra"}
    )
    auth = build_config(minimal).runtime.platform.execution_ipc.auth
    assert auth.secret is not None
    assert auth.secret.get_secret_value() == "abracadabra, abracadabra"
    assert "abracadabra, abracadabra" not in repr(auth) + str(auth)


@pytest.mark.contract("P5PRE-CFG-03")
@pytest.mark.parametrize(
    ("control", "path"),
    [
        (True, "execution_ipc.control"),
        ([], "execution_ipc.control"),
        ("tcp_local", "execution_ipc.control"),
        ({"transport": "memory"}, "execution_ipc.control.transport"),
        ({"auth": []}, "execution_ipc.control.auth"),
        ({"port": 1}, "execution_ipc.control.port"),
        ({"control": {}}, "execution_ipc.control.control"),
    ],
)
def test_an_invalid_control_shape_is_rejected(refused_platform, control, path):
    assert path in refused_platform({"execution_ipc": {"control": control}})


@AUTH_BLOCKS
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("handshake_timeout_seconds", 0),
        ("max_waiting", 0),
        ("max_waiting", 4097),
        ("max_unauthenticated_bytes", 255),
        ("max_unauthenticated_bytes", 65_537),
    ],
)
def test_what_a_stranger_gets_is_bounded_below_and_above(refused_platform, block, field, value):
    fault = refused_platform(_ipc(block, admission={field: value}))[f"{block}.admission.{field}"]
    assert fault.category == "bad_value"


@pytest.mark.parametrize("value", [4_095, 65_536, True, "4096"])
def test_a_header_limit_that_the_wire_format_cannot_hold_is_rejected(refused_platform, value):
    faults = refused_platform(_ipc("execution_ipc", max_header_bytes=value))
    assert "execution_ipc.max_header_bytes" in faults
