"""Which addresses are allowed: loopback, by number."""

from __future__ import annotations

import ipaddress
import socket

from sk_transport.errors import BindError, ConnectError

LAST_PORT = 65_535


def check_bind(host: object, port: object) -> socket.AddressFamily:
    """Return the family to listen in; raise `BindError` for a host that is not loopback or an
    impossible port.
    """
    fault = _host_fault(host) or _port_fault(port, 0)
    if fault:
        raise BindError(host, port, fault)
    return _family(host)


def check_connect(host: object, port: object) -> socket.AddressFamily:
    """Return the family to connect in; raise `ConnectError` for a host that is not loopback or a
    bad port.
    """
    fault = _host_fault(host) or _port_fault(port, 1)
    if fault:
        raise ConnectError(host, port, fault)
    return _family(host)


def _host_fault(host: object) -> str | None:
    # Names are refused, "localhost" too: what they resolve to is decided elsewhere, and can change.
    # A scope ("::1%eth0") is refused since it names an interface.
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


def _family(host: object) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in str(host) else socket.AF_INET
