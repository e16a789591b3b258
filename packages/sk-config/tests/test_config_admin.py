"""The admin socket's settings."""

from __future__ import annotations

import pytest
from sk_config import build_config


def test_a_run_has_an_admin_socket_where_that_is_possible(minimal):
    admin = build_config(minimal).runtime.platform.admin
    assert (admin.enabled, admin.run_dir) == (None, None)


@pytest.mark.parametrize(
    "admin", [{}, {"enabled": None}, {"enabled": False}, {"enabled": True, "run_dir": "/run/sk"}]
)
def test_an_admin_socket_can_be_required_placed_and_switched_off(minimal, admin):
    minimal["runtime"]["platform"] = {"admin": admin}
    said = build_config(minimal).runtime.platform.admin
    assert said.enabled == admin.get("enabled")
    assert said.run_dir == admin.get("run_dir")


@pytest.mark.parametrize(
    ("admin", "path"),
    [
        (True, "admin"),
        ({"enabled": "yes"}, "admin.enabled"),
        ({"run_dir": " "}, "admin.run_dir"),
        ({"run_dir": 7}, "admin.run_dir"),
        ({"port": 1}, "admin.port"),
    ],
)
def test_an_invalid_admin_block_is_rejected(refused_platform, admin, path):
    assert list(refused_platform({"admin": admin})) == [path]
