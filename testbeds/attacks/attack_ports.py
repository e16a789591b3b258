"""Which port of a supervisor is which, from outside."""

from __future__ import annotations

import socket

import psutil
from attacks_on_data import HTTP2_PREFACE

Address = tuple[str, int]

_PROBE_SECONDS = 5.0


class PortsNotFoundError(Exception):
    """A process does not listen as a supervisor of worker processes does."""

    def __init__(self, pid: int, listening: int) -> None:
        super().__init__(
            f"process {pid} listens on {listening} loopback ports; a supervisor has one for data "
            "and one for control while it runs workers: name them with --data and --control"
        )


def address_of(text: str) -> Address:
    """The address in `HOST:PORT`. Raises `ValueError`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def ports_of(pid: int) -> tuple[Address, Address]:
    """The data port and the control port of a supervisor.

    Of its two ports, control is the one that answers HTTP/2. Raises `PortsNotFoundError`.
    """
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error as fault:
        raise PortsNotFoundError(pid, 0) from fault
    # gRPC has an IPv4 address as that of an IPv6 socket.
    found = sorted(
        {
            (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
        }
    )
    control = [address for address in found if _speaks_http2(address)]
    data = [address for address in found if address not in control]
    if len(control) != 1 or len(data) != 1:
        raise PortsNotFoundError(pid, len(found))
    return data[0], control[0]


def _speaks_http2(address: Address) -> bool:
    with socket.create_connection(address, _PROBE_SECONDS) as probe:
        try:
            probe.sendall(HTTP2_PREFACE + bytes(9)[:3] + b"\x04" + bytes(5))
            return bool(probe.recv(1))
        except OSError:
            return False
