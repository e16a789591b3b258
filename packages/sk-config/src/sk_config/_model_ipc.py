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
    """How messages are signed, and how replays are recognised."""

    mode: Literal["hmac"] = Field(default="hmac", description="How messages are signed")
    secret_mode: Literal["generated", "static"] = Field(
        default="generated",
        description="Whether key material is made fresh at every start, or configured",
    )
    secret: SecretStr | None = Field(
        default=None,
        min_length=1,
        description="The key material of secret_mode static; best as ${ENV:NAME} or ${FILE:path}",
    )
    kdf: Literal["none", "hkdf_sha256"] = Field(
        default="hkdf_sha256", description="How keys are derived from the key material"
    )
    ttl_seconds: Seconds = Field(
        default=30,
        description="Seconds that the time of a message which opens a link, or comes out of order,"
        " may lie before or after now; what comes in order on an open link may be older",
    )
    nonce_cache_size: Count = Field(
        default=100_000, description="How many nonces are remembered to recognise replays"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        return auth_findings(self.model_dump())


class AdmissionConfig(ConfigModel):
    """What a peer of the data plane gets before it has proven who it is."""

    handshake_timeout_seconds: Seconds = Field(
        default=5, description="Seconds until a connection must have proven who it is"
    )
    max_waiting: Waiting = Field(
        default=128,
        description="Connections that may still have to prove it; one more drops the oldest",
    )
    max_unauthenticated_bytes: UnauthenticatedBytes = Field(
        default=512, description="Bytes that are taken from a peer before that"
    )


class ControlAdmissionConfig(AdmissionConfig):
    """What a peer of the control plane gets before it has proven who it is."""

    max_waiting: Waiting = Field(
        default=32,
        description="Streams that may still have to prove it; one more drops the oldest",
    )
    max_unauthenticated_bytes: UnauthenticatedBytes = Field(
        default=16_384, description="Bytes of the largest first message"
    )


class ControlConfig(ConfigModel):
    """The control plane: start, readiness, heartbeats and stop of worker processes."""

    transport: Literal["tcp_local"] = Field(
        default="tcp_local", description="The transport of control messages"
    )
    bind_host: Loopback = Field(
        default="127.0.0.1", description="The address to listen on; the loopback one and no other"
    )
    bind_port: Port = Field(default=0, description="The port to listen on; 0 takes a free one")
    auth: AuthConfig = Field(default=AuthConfig(), description="The signing of control messages")
    max_payload_bytes: MessageBytes = Field(
        default=4_194_304, description="The largest control message, in bytes"
    )
    admission: ControlAdmissionConfig = Field(
        default=ControlAdmissionConfig(), description="Limits for peers that are not known yet"
    )


class ExecutionIpcConfig(ConfigModel):
    """The data plane, and with `control` the control plane."""

    transport: Literal["memory", "tcp_local"] = Field(
        default="memory",
        description="The transport of records between groups; process_supervisor needs tcp_local",
    )
    bind_host: Loopback = Field(
        default="127.0.0.1", description="The address to listen on; the loopback one and no other"
    )
    bind_port: Port = Field(default=0, description="The port to listen on; 0 takes a free one")
    auth: AuthConfig = Field(default=AuthConfig(), description="The signing of data frames")
    max_payload_bytes: PayloadBytes = Field(
        default=16_777_216, description="The largest payload of a frame, in bytes"
    )
    max_header_bytes: HeaderBytes = Field(
        default=65_535,
        description="The largest header of a frame, in bytes; it bounds a batch's records too:"
        " the header has a sampling bit for each",
    )
    admission: AdmissionConfig = Field(
        default=AdmissionConfig(), description="Limits for peers that are not known yet"
    )
    control: ControlConfig | None = Field(
        default=None, description="The control plane, which process_supervisor needs"
    )
