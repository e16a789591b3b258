"""Secrets do not show themselves; keys derived from one secret have nothing in common."""

from __future__ import annotations

import copy
import json
import pickle
import pprint
import subprocess
import sys
import warnings
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from sk_transport import (
    Channel,
    KeyDerivationError,
    KeyMaterial,
    LinkKeys,
    Secret,
    SecretExposureError,
    StaticSecretWarning,
    UnusableSecretError,
)

VALUE = b"correct-horse-battery-staple"
labels = st.lists(st.text(max_size=5), min_size=1, max_size=4).map(tuple)


def material(value: bytes = VALUE) -> KeyMaterial:
    return KeyMaterial.static(Secret(value), warn=False)


@pytest.mark.contract("KEY-IPC-01")
def test_generated_material_is_fresh_at_every_start() -> None:
    made = [KeyMaterial.generated() for _ in range(100)]
    assert len({one.secret.reveal() for one in made}) == 100
    assert {len(one.secret.reveal()) for one in made} == {32}


@pytest.mark.contract("KEY-IPC-02")
def test_a_static_secret_gives_the_same_keys_in_two_processes() -> None:
    code = (
        "from sk_transport import KeyMaterial, Secret;"
        f"m = KeyMaterial.static(Secret({VALUE!r}), warn=False);"
        "print(m.derive('a', 'b').reveal().hex())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert bytes.fromhex(out.stdout) == material().derive("a", "b").reveal()


@pytest.mark.contract("KEY-IPC-02")
def test_a_static_secret_warns_without_showing_it() -> None:
    with pytest.warns(StaticSecretWarning) as caught:
        KeyMaterial.static(Secret(VALUE))
    assert VALUE.decode() not in str(caught[0].message)
    assert caught[0].filename == __file__


def test_the_warning_can_be_left_to_the_process_that_read_the_configuration() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        KeyMaterial.static(Secret(VALUE), warn=False)


def test_a_derived_key_is_hkdf_sha256_as_documented() -> None:
    info = b"sk-transport/1 key\0" + b"\0\0\0\x01a" + b"\0\0\0\x02bc"
    expected = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(VALUE)
    assert material().derive("a", "bc").reveal() == expected


@given(labels, labels)
def test_different_labels_give_different_keys(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    same = material().derive(*one) == material().derive(*other)
    assert same == (one == other)


def test_different_secrets_give_different_keys() -> None:
    assert material(b"a").derive("x") != material(b"b").derive("x")


def test_each_direction_of_a_link_has_its_own_key() -> None:
    link = LinkKeys.derive(material(), "run-1", "policy/0/1", "hub")
    assert link.to_server != link.to_client
    assert link.to_server == material().for_channel(Channel("run-1", "policy/0/1", "hub"))
    assert link.to_client == material().for_channel(Channel("run-1", "hub", "policy/0/1"))


def test_without_a_kdf_the_secret_is_used_as_it_is() -> None:
    assert material().derive("a", kdf="none") == Secret(VALUE)


def test_a_key_is_not_derived_without_a_label() -> None:
    with pytest.raises(KeyDerivationError):
        material().derive()


def test_a_label_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(KeyDerivationError):
        material().derive("\ud800")


def test_an_unknown_kdf_is_refused() -> None:
    with pytest.raises(KeyDerivationError):
        material().derive("a", kdf="md5")  # type: ignore[arg-type]


def shown(value: bytes, text: str) -> bool:
    """Whether `text` gives `value` away, plain or in hexadecimal digits."""
    return value.decode() in text or value.hex() in text


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04")
@pytest.mark.parametrize(
    "show", [repr, str, format, ascii, "%s".__mod__, "{!r}".format, pprint.pformat]
)
@pytest.mark.parametrize(
    "holder", [Secret(VALUE), material(), LinkKeys(Secret(VALUE), Secret(VALUE))]
)
def test_no_way_to_text_shows_a_secret(show: Callable[[object], str], holder: object) -> None:
    for text in (show(holder), show([holder]), show({"key": holder})):
        assert "redacted" in text
        assert not shown(VALUE, text)


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04")
def test_a_secret_takes_a_width_and_shows_nothing() -> None:
    assert f"{Secret(VALUE):>12}|" == "  <redacted>|"


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_refuses_to_be_pickled(protocol: int) -> None:
    for holder in (Secret(VALUE), material(), [Secret(VALUE)]):
        with pytest.raises(SecretExposureError) as caught:
            pickle.dumps(holder, protocol)
        assert caught.value.category == "secret"


@pytest.mark.contract("SEC-IPC-08", "KEY-IPC-04")
def test_a_secret_refuses_json_and_the_error_does_not_show_it() -> None:
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": Secret(VALUE)})
    assert VALUE.decode() not in str(caught.value)


def test_a_secret_gives_no_state_no_bytes_and_no_attributes() -> None:
    secret = Secret(VALUE)
    with pytest.raises(SecretExposureError):
        secret.__getstate__()
    with pytest.raises(TypeError):
        bytes(secret)  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        vars(secret)


def test_a_secret_is_not_hashable() -> None:
    with pytest.raises(TypeError):
        hash(Secret(VALUE))


def test_a_copy_of_a_secret_is_the_secret() -> None:
    secret = Secret(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret


def test_secrets_are_equal_by_value_and_to_nothing_else() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"


@pytest.mark.parametrize("value", [b"", "text", bytearray(b"x"), None])
def test_a_secret_is_bytes_and_not_empty(value: bytes) -> None:
    with pytest.raises(UnusableSecretError) as caught:
        Secret(value)
    assert "text" not in str(caught.value)


def test_a_short_secret_is_not_generated() -> None:
    with pytest.raises(UnusableSecretError):
        Secret.generate(15)


def test_importing_the_package_does_not_import_cryptography() -> None:
    """It costs 25 ms per process; a worker with derived keys needs none of it."""
    code = "import sys, sk_transport; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
