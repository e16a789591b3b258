"""Checks of control plane addresses: only numeric IPv4 loopback addresses are allowed."""

from __future__ import annotations

import ipaddress
import socket

from sk_control.errors import ControlBindError, ControlSettingError


def format_address(host: str, port: int) -> str:
    """Join an IPv4 loopback address and a port; raises `ControlSettingError` for any others."""
    try:
        loopback = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ControlSettingError("host", host, "an IPv4 loopback address such as 127.0.0.1")
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= 65535:
        raise ControlSettingError("port", port, "an integer from 0 to 65535")
    return f"{host}:{port}"


def check_free(host: str, port: int) -> None:
    """Raise `ControlBindError`, with the system's reason, if a port cannot be listened on.

    gRPC would not report the reason, and would write to standard error, which a library must not.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as fault:
        reason = fault.strerror or type(fault).__name__
        raise ControlBindError(f"{host}:{port}", reason) from None


def parse_address(address: str) -> str:
    """Check and return an address to connect to, `HOST:PORT`; raises `ControlSettingError`."""
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= 65535):
        raise ControlSettingError("address", address, "HOST:PORT")
    return format_address(host, int(port))
