"""`runtime.platform.execution_ipc`: how processes talk to each other on the loopback interface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, SecretStr

from sk_config._base import ConfigModel
from sk_config._fields import (
    Count,
    HeaderBytes,
    Loopback,
    MessageBytes,
    PayloadBytes,
    Port,
    Seconds,
    UnauthenticatedBytes,
    Waiting,
)
from sk_config._finding import Finding
from sk_config._rules import auth_findings


class AuthConfig(ConfigModel):
    """How messages are signed, and how replays are recognised. Rarely changed."""

    mode: Literal["hmac"] = Field(default="hmac", description="Method of signing")
    secret_mode: Literal["generated", "static"] = Field(
        default="generated",
        description="`generated`: new key material at every start; `static`: the configured one"
        " (for development)",
    )
    secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="Key material for `static`, at least 16 bytes; best as `${ENV:NAME}` or"
        " `${FILE:path}`",
    )
    kdf: Literal["none", "hkdf_sha256"] = Field(
        default="hkdf_sha256",
        description="Derivation of keys from the key material; `none`: all workers share one key",
    )
    ttl_seconds: Seconds = Field(
        default=30,
        description="Maximum difference in seconds between a message's timestamp and now. Checked"
        " for messages that open a link",
    )
    nonce_cache_size: Count = Field(
        default=100_000,
        description="Number of nonces remembered for each peer, of messages that open a link, to"
        " recognise replays; a worker needs one. If it is reached, further ones of this peer are"
        " rejected until a nonce expires",
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return auth_findings(self.model_dump())


class AdmissionConfig(ConfigModel):
    """Limits for peers of the data plane that are not authenticated yet. Rarely changed."""

    handshake_timeout_seconds: Seconds = Field(
        default=5, description="Seconds that a connection has for its handshake"
    )
    max_waiting: Waiting = Field(
        default=128,
        description="Maximum number of unauthenticated connections; one more closes the oldest",
    )
    max_unauthenticated_bytes: UnauthenticatedBytes = Field(
        default=512, description="Bytes accepted from an unauthenticated peer"
    )


class ControlAdmissionConfig(AdmissionConfig):
    """Limits for peers of the control plane that are not authenticated yet. Rarely changed."""

    max_waiting: Waiting = Field(
        default=32,
        description="Maximum number of unauthenticated streams; one more closes the oldest",
    )
    max_unauthenticated_bytes: UnauthenticatedBytes = Field(
        default=16_384, description="Maximum size of the first message, in bytes"
    )


class ControlConfig(ConfigModel):
    """The control plane: start, readiness, heartbeats and stop of worker processes."""

    transport: Literal["tcp_local"] = Field(
        default="tcp_local", description="Transport of control messages"
    )
    bind_host: Loopback = Field(
        default="127.0.0.1", description="Address to listen on: loopback only"
    )
    bind_port: Port = Field(default=0, description="Port to listen on; 0 takes a free one")
    auth: AuthConfig = Field(default=AuthConfig(), description="Signing of control messages")
    max_payload_bytes: MessageBytes = Field(
        default=4_194_304, description="Maximum size of a control message, in bytes"
    )
    admission: ControlAdmissionConfig = Field(
        default=ControlAdmissionConfig(), description="Limits for unauthenticated peers"
    )


class ExecutionIpcConfig(ConfigModel):
    """The channels between processes: the data plane and, with `control`, the control plane."""

    transport: Literal["memory", "tcp_local"] = Field(
        default="memory",
        description="Transport of records between groups; `process_supervisor` needs `tcp_local`",
    )
    bind_host: Loopback = Field(
        default="127.0.0.1", description="Address to listen on: loopback only"
    )
    bind_port: Port = Field(default=0, description="Port to listen on; 0 takes a free one")
    auth: AuthConfig = Field(default=AuthConfig(), description="Signing of data frames")
    max_payload_bytes: PayloadBytes = Field(
        default=16_777_216,
        description="Maximum payload of a frame, in bytes; no record may be larger",
    )
    max_header_bytes: HeaderBytes = Field(
        default=65_535,
        description="Maximum header of a frame, in bytes. It also limits the number of records in a"
        " batch (one bit per record)",
    )
    admission: AdmissionConfig = Field(
        default=AdmissionConfig(), description="Limits for unauthenticated peers"
    )
    control: ControlConfig | None = Field(
        default=None,
        description="The control plane. `process_supervisor` needs it; `{}` takes the defaults",
    )
