"""The stable codes of rejected messages, in events, counters, logs and on the wire."""

from __future__ import annotations

from enum import StrEnum


class RefusalCategory(StrEnum):
    """The category of a rejected message's fault; rejected messages are counted by category."""

    MALFORMED = "malformed"
    VERSION = "version"
    IDENTITY = "identity"
    SIGNATURE = "signature"
    FRESHNESS = "freshness"
    REPLAY = "replay"
    TOKEN = "token"  # noqa: S105 - a category, not a secret
    PROTOCOL = "protocol"
    LIMIT = "limit"


class RefusalCode(StrEnum):
    """The fault for which a message or stream is rejected. Each code has one category."""

    UNDECODABLE = "undecodable"
    UNSIGNED_FIELDS = "unsigned_fields"
    UNKNOWN_KIND = "unknown_kind"
    BAD_FIELD = "bad_field"
    VERSION_MISMATCH = "version_mismatch"
    WRONG_SESSION = "wrong_session"
    UNKNOWN_WORKER = "unknown_worker"
    WRONG_WORKER = "wrong_worker"
    WRONG_DIRECTION = "wrong_direction"
    IDENTITY_MISMATCH = "identity_mismatch"
    BAD_SIGNATURE = "bad_signature"
    OUTSIDE_TTL = "outside_ttl"
    REPLAYED_NONCE = "replayed_nonce"
    NONCE_CACHE_FULL = "nonce_cache_full"
    TOKEN_USED = "token_used"  # noqa: S105 - a code, not a secret
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code, not a secret
    OVERSIZED = "oversized"
    HELLO_TIMEOUT = "hello_timeout"
    NO_HELLO = "no_hello"
    EVICTED = "evicted"

    @property
    def category(self) -> RefusalCategory:
        """The category under which this code is counted."""
        return _CATEGORY[self]


class ProtocolCode(StrEnum):
    """The rule on the order of messages that a message breaks; all count as `PROTOCOL`."""

    MESSAGE_BEFORE_HELLO = "message_before_hello"
    DUPLICATE_HELLO = "duplicate_hello"
    BOOTSTRAP_BEFORE_HELLO = "bootstrap_before_hello"
    DUPLICATE_BOOTSTRAP = "duplicate_bootstrap"
    ACK_BEFORE_BOOTSTRAP = "ack_before_bootstrap"
    DUPLICATE_ACK = "duplicate_ack"
    READY_BEFORE_BOOTSTRAP = "ready_before_bootstrap"
    DUPLICATE_READY = "duplicate_ready"
    REPORT_BEFORE_BOOTSTRAP = "report_before_bootstrap"
    START_BEFORE_READY = "start_before_ready"
    DUPLICATE_START = "duplicate_start"
    START_AFTER_STOP = "start_after_stop"
    DRAINED_BEFORE_START = "drained_before_start"
    DUPLICATE_DRAINED = "duplicate_drained"
    STOP_BEFORE_BOOTSTRAP = "stop_before_bootstrap"
    ACK_WITHOUT_STOP = "ack_without_stop"
    FAILED_BEFORE_BOOTSTRAP = "failed_before_bootstrap"
    DUPLICATE_FAILED = "duplicate_failed"
    PEER_BEFORE_BOOTSTRAP = "peer_before_bootstrap"
    AFTER_FAILED = "after_failed"
    AFTER_STOPPED = "after_stopped"


_CATEGORY = {
    RefusalCode.UNDECODABLE: RefusalCategory.MALFORMED,
    RefusalCode.UNSIGNED_FIELDS: RefusalCategory.MALFORMED,
    RefusalCode.UNKNOWN_KIND: RefusalCategory.MALFORMED,
    RefusalCode.BAD_FIELD: RefusalCategory.MALFORMED,
    RefusalCode.VERSION_MISMATCH: RefusalCategory.VERSION,
    RefusalCode.WRONG_SESSION: RefusalCategory.IDENTITY,
    RefusalCode.UNKNOWN_WORKER: RefusalCategory.IDENTITY,
    RefusalCode.WRONG_WORKER: RefusalCategory.IDENTITY,
    RefusalCode.WRONG_DIRECTION: RefusalCategory.IDENTITY,
    RefusalCode.IDENTITY_MISMATCH: RefusalCategory.IDENTITY,
    RefusalCode.BAD_SIGNATURE: RefusalCategory.SIGNATURE,
    RefusalCode.OUTSIDE_TTL: RefusalCategory.FRESHNESS,
    RefusalCode.REPLAYED_NONCE: RefusalCategory.REPLAY,
    RefusalCode.NONCE_CACHE_FULL: RefusalCategory.REPLAY,
    RefusalCode.TOKEN_USED: RefusalCategory.TOKEN,
    RefusalCode.TOKEN_EXPIRED: RefusalCategory.TOKEN,
    RefusalCode.OVERSIZED: RefusalCategory.LIMIT,
    RefusalCode.HELLO_TIMEOUT: RefusalCategory.LIMIT,
    RefusalCode.NO_HELLO: RefusalCategory.LIMIT,
    RefusalCode.EVICTED: RefusalCategory.LIMIT,
}
