"""gRPC settings of both ends, and refusals as the trailing metadata of a stream."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, cast

import grpc

from sk_control._pb import control_pb2 as pb
from sk_control._refusals import Refusal, category_of
from sk_control._seal import SUPPORTED_VERSIONS
from sk_control._settings import ControlSettings
from sk_control.errors import (
    ControlConnectError,
    ControlError,
    HelloRefusedError,
    VersionMismatchError,
)

_SERVICE: Final = pb.DESCRIPTOR.services_by_name["ControlPlane"]
SERVICE_NAME: Final = _SERVICE.full_name
METHOD_NAME: Final = _SERVICE.methods[0].name
METHOD_PATH: Final = f"/{SERVICE_NAME}/{METHOD_NAME}"

_REFUSAL: Final = "sk-refusal"
_VERSIONS: Final = "sk-versions"
_REFUSAL_WORDS: Final = re.compile(r"([a-z_]{1,64})/([a-z_]{1,64})")
_VERSION_LIST: Final = re.compile(r"[0-9]{1,9}(?:,[0-9]{1,9}){0,15}")

_REASONS: Final = {
    grpc.StatusCode.UNAVAILABLE: "nothing answers there, or it went away",
    grpc.StatusCode.UNIMPLEMENTED: "what answers there is no control server",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "it has no room for this session, or for its first message",
    grpc.StatusCode.OK: "it ended the session before the bootstrap bundle",
}


def server_options(settings: ControlSettings) -> list[tuple[str, int]]:
    """Return the channel arguments of the server."""
    # Without so_reuseport=0 any process of the same user could listen on the same port and receive
    # half of the calls.
    return [("grpc.so_reuseport", 0), *_message_limits(settings)]


def channel_options(settings: ControlSettings) -> list[tuple[str, int]]:
    """Return the channel arguments of the client."""
    return [
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.use_local_subchannel_pool", 1),
        *_message_limits(settings),
    ]


def _message_limits(settings: ControlSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.max_metadata_size", 8192),
    ]


def refusal_metadata(refusal: Refusal) -> tuple[tuple[str, str], ...]:
    """Return the metadata that tells a rejected peer the reason and the supported versions."""
    versions = ",".join(str(version) for version in SUPPORTED_VERSIONS)
    return ((_REFUSAL, f"{category_of(refusal)}/{refusal.code}"), (_VERSIONS, versions))


def connect_fault(
    failure: grpc.RpcError | None, address: str, worker_id: str, offered: tuple[int, ...]
) -> ControlError:
    """Return the error for a stream that ended before the bundle arrived.

    `failure` is None if the stream ended normally; `offered` are the worker's protocol versions.
    """
    if failure is None:
        return ControlConnectError(address, _REASONS[grpc.StatusCode.OK])
    metadata = _texts(failure)
    refusal = _REFUSAL_WORDS.fullmatch(metadata.get(_REFUSAL, ""))
    versions = metadata.get(_VERSIONS, "")
    if refusal is None:
        code = failure.code()
        return ControlConnectError(
            address, _REASONS.get(code, f"it answers with gRPC status {code.name}")
        )
    if refusal[1] == "version" and _VERSION_LIST.fullmatch(versions):
        theirs = tuple(int(version) for version in versions.split(","))
        return VersionMismatchError.between(offered, theirs, worker_id)
    return HelloRefusedError(worker_id, refusal[1], refusal[2])


def _texts(failure: grpc.RpcError) -> dict[str, str]:
    metadata = cast("Iterable[tuple[str, str | bytes]]", failure.trailing_metadata() or ())
    return {key: value for key, value in metadata if isinstance(value, str)}
