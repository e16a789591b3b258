"""Checks of addresses: only numeric loopback addresses are allowed."""

from __future__ import annotations

import ipaddress
import socket

from sk_transport.errors import BindError, ConnectError

LAST_PORT = 65_535


def check_bind(host: object, port: object) -> socket.AddressFamily:
    """Return the address family to listen in; raise `BindError` for a bad host or port."""
    return _checked(host, port, 0, BindError)


def check_connect(host: object, port: object) -> socket.AddressFamily:
    """Return the address family to connect in; raise `ConnectError` for a bad host or port."""
    return _checked(host, port, 1, ConnectError)


def _checked(
    host: object, port: object, lowest_port: int, error: type[BindError | ConnectError]
) -> socket.AddressFamily:
    if fault := _host_fault(host) or _port_fault(port, lowest_port):
        raise error(host, port, fault)
    return socket.AF_INET6 if ":" in str(host) else socket.AF_INET


def _host_fault(host: object) -> str | None:
    # Host names are rejected, "localhost" too: the resolver decides what they mean, and that can
    # change. A scope ("::1%eth0") is rejected because it names an interface.
    try:
        if isinstance(host, str) and "%" not in host and ipaddress.ip_address(host).is_loopback:
            return None
    except ValueError:
        pass
    return "only loopback addresses are allowed, by number: 127.0.0.1 or ::1"


def _port_fault(port: object, low: int) -> str | None:
    if type(port) is int and low <= port <= LAST_PORT:
        return None
    return f"the port must be an integer from {low} to {LAST_PORT}"
