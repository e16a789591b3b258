from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_TO_SUPERVISOR: _ClassVar[Direction]
    DIRECTION_TO_WORKER: _ClassVar[Direction]

class MessageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MESSAGE_KIND_UNSPECIFIED: _ClassVar[MessageKind]
    MESSAGE_KIND_HELLO: _ClassVar[MessageKind]
    MESSAGE_KIND_BOOTSTRAP_BUNDLE: _ClassVar[MessageKind]
    MESSAGE_KIND_BUNDLE_ACK: _ClassVar[MessageKind]
    MESSAGE_KIND_READY: _ClassVar[MessageKind]
    MESSAGE_KIND_HEARTBEAT: _ClassVar[MessageKind]
    MESSAGE_KIND_PROGRESS: _ClassVar[MessageKind]
    MESSAGE_KIND_START_WORK: _ClassVar[MessageKind]
    MESSAGE_KIND_STOP: _ClassVar[MessageKind]
    MESSAGE_KIND_STOP_ACK: _ClassVar[MessageKind]
    MESSAGE_KIND_DRAINED: _ClassVar[MessageKind]
    MESSAGE_KIND_FAILED: _ClassVar[MessageKind]
    MESSAGE_KIND_PEER_REPLACED: _ClassVar[MessageKind]
    MESSAGE_KIND_SPAN_COUNTS: _ClassVar[MessageKind]

class DrainOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DRAIN_OUTCOME_UNSPECIFIED: _ClassVar[DrainOutcome]
    DRAIN_OUTCOME_COMPLETE: _ClassVar[DrainOutcome]
    DRAIN_OUTCOME_STOPPED: _ClassVar[DrainOutcome]
DIRECTION_UNSPECIFIED: Direction
DIRECTION_TO_SUPERVISOR: Direction
DIRECTION_TO_WORKER: Direction
MESSAGE_KIND_UNSPECIFIED: MessageKind
MESSAGE_KIND_HELLO: MessageKind
MESSAGE_KIND_BOOTSTRAP_BUNDLE: MessageKind
MESSAGE_KIND_BUNDLE_ACK: MessageKind
MESSAGE_KIND_READY: MessageKind
MESSAGE_KIND_HEARTBEAT: MessageKind
MESSAGE_KIND_PROGRESS: MessageKind
MESSAGE_KIND_START_WORK: MessageKind
MESSAGE_KIND_STOP: MessageKind
MESSAGE_KIND_STOP_ACK: MessageKind
MESSAGE_KIND_DRAINED: MessageKind
MESSAGE_KIND_FAILED: MessageKind
MESSAGE_KIND_PEER_REPLACED: MessageKind
MESSAGE_KIND_SPAN_COUNTS: MessageKind
DRAIN_OUTCOME_UNSPECIFIED: DrainOutcome
DRAIN_OUTCOME_COMPLETE: DrainOutcome
DRAIN_OUTCOME_STOPPED: DrainOutcome

class SignedMessage(_message.Message):
    __slots__ = ("protocol_version", "session_id", "worker_id", "direction", "kind", "time_ns", "nonce", "body", "signature")
    PROTOCOL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    protocol_version: int
    session_id: str
    worker_id: str
    direction: Direction
    kind: MessageKind
    time_ns: int
    nonce: bytes
    body: bytes
    signature: bytes
    def __init__(self, protocol_version: _Optional[int] = ..., session_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., direction: _Optional[_Union[Direction, str]] = ..., kind: _Optional[_Union[MessageKind, str]] = ..., time_ns: _Optional[int] = ..., nonce: _Optional[bytes] = ..., body: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol_versions", "worker_id", "group", "index", "incarnation", "pid")
    PROTOCOL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    protocol_versions: _containers.RepeatedScalarFieldContainer[int]
    worker_id: str
    group: str
    index: int
    incarnation: int
    pid: int
    def __init__(self, protocol_versions: _Optional[_Iterable[int]] = ..., worker_id: _Optional[str] = ..., group: _Optional[str] = ..., index: _Optional[int] = ..., incarnation: _Optional[int] = ..., pid: _Optional[int] = ...) -> None: ...

class BootstrapBundle(_message.Message):
    __slots__ = ("run_id", "scenario_id", "group", "worker_index", "incarnation", "discovery_modules", "application", "data_host", "data_port", "heartbeat_seconds", "keys")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SCENARIO_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WORKER_INDEX_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_MODULES_FIELD_NUMBER: _ClassVar[int]
    APPLICATION_FIELD_NUMBER: _ClassVar[int]
    DATA_HOST_FIELD_NUMBER: _ClassVar[int]
    DATA_PORT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    scenario_id: str
    group: str
    worker_index: int
    incarnation: int
    discovery_modules: _containers.RepeatedScalarFieldContainer[str]
    application: bytes
    data_host: str
    data_port: int
    heartbeat_seconds: float
    keys: _containers.ScalarMap[str, bytes]
    def __init__(self, run_id: _Optional[str] = ..., scenario_id: _Optional[str] = ..., group: _Optional[str] = ..., worker_index: _Optional[int] = ..., incarnation: _Optional[int] = ..., discovery_modules: _Optional[_Iterable[str]] = ..., application: _Optional[bytes] = ..., data_host: _Optional[str] = ..., data_port: _Optional[int] = ..., heartbeat_seconds: _Optional[float] = ..., keys: _Optional[_Mapping[str, bytes]] = ...) -> None: ...

class BundleAck(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Ready(_message.Message):
    __slots__ = ("partial_outputs",)
    PARTIAL_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    partial_outputs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, partial_outputs: _Optional[_Iterable[str]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("records_in", "records_out", "batches", "state", "position", "waiting", "dead_lettered", "skipped", "metering", "requests", "source_records")
    RECORDS_IN_FIELD_NUMBER: _ClassVar[int]
    RECORDS_OUT_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    DEAD_LETTERED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    METERING_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_RECORDS_FIELD_NUMBER: _ClassVar[int]
    records_in: int
    records_out: int
    batches: int
    state: str
    position: str
    waiting: int
    dead_lettered: int
    skipped: int
    metering: Metering
    requests: int
    source_records: int
    def __init__(self, records_in: _Optional[int] = ..., records_out: _Optional[int] = ..., batches: _Optional[int] = ..., state: _Optional[str] = ..., position: _Optional[str] = ..., waiting: _Optional[int] = ..., dead_lettered: _Optional[int] = ..., skipped: _Optional[int] = ..., metering: _Optional[_Union[Metering, _Mapping]] = ..., requests: _Optional[int] = ..., source_records: _Optional[int] = ...) -> None: ...

class Metering(_message.Message):
    __slots__ = ("busy_seconds", "idle_seconds", "backpressured_seconds", "cpu_seconds", "batch_counts", "batch_seconds", "latency_counts", "latency_seconds", "credit")
    BUSY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BACKPRESSURED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BATCH_COUNTS_FIELD_NUMBER: _ClassVar[int]
    BATCH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_COUNTS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    busy_seconds: float
    idle_seconds: float
    backpressured_seconds: float
    cpu_seconds: float
    batch_counts: _containers.RepeatedScalarFieldContainer[int]
    batch_seconds: float
    latency_counts: _containers.RepeatedScalarFieldContainer[int]
    latency_seconds: float
    credit: int
    def __init__(self, busy_seconds: _Optional[float] = ..., idle_seconds: _Optional[float] = ..., backpressured_seconds: _Optional[float] = ..., cpu_seconds: _Optional[float] = ..., batch_counts: _Optional[_Iterable[int]] = ..., batch_seconds: _Optional[float] = ..., latency_counts: _Optional[_Iterable[int]] = ..., latency_seconds: _Optional[float] = ..., credit: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("progress",)
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ...) -> None: ...

class StartWork(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Stop(_message.Message):
    __slots__ = ("drain", "reason")
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    drain: bool
    reason: str
    def __init__(self, drain: bool = ..., reason: _Optional[str] = ...) -> None: ...

class StopAck(_message.Message):
    __slots__ = ("partial_outputs",)
    PARTIAL_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    partial_outputs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, partial_outputs: _Optional[_Iterable[str]] = ...) -> None: ...

class Drained(_message.Message):
    __slots__ = ("outcome", "records_in", "records_out", "counters", "partial_outputs")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RECORDS_IN_FIELD_NUMBER: _ClassVar[int]
    RECORDS_OUT_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    outcome: DrainOutcome
    records_in: int
    records_out: int
    counters: _containers.ScalarMap[str, int]
    partial_outputs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, outcome: _Optional[_Union[DrainOutcome, str]] = ..., records_in: _Optional[int] = ..., records_out: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., partial_outputs: _Optional[_Iterable[str]] = ...) -> None: ...

class Failed(_message.Message):
    __slots__ = ("category", "node", "cause_type", "message", "trace_id")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    CAUSE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    category: str
    node: str
    cause_type: str
    message: str
    trace_id: str
    def __init__(self, category: _Optional[str] = ..., node: _Optional[str] = ..., cause_type: _Optional[str] = ..., message: _Optional[str] = ..., trace_id: _Optional[str] = ...) -> None: ...

class ExporterCounts(_message.Message):
    __slots__ = ("kind", "exported", "dropped", "close_failure")
    class DroppedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXPORTED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FAILURE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    exported: int
    dropped: _containers.ScalarMap[str, int]
    close_failure: str
    def __init__(self, kind: _Optional[str] = ..., exported: _Optional[int] = ..., dropped: _Optional[_Mapping[str, int]] = ..., close_failure: _Optional[str] = ...) -> None: ...

class SpanCounts(_message.Message):
    __slots__ = ("created", "exporters", "final")
    CREATED_FIELD_NUMBER: _ClassVar[int]
    EXPORTERS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    created: int
    exporters: _containers.RepeatedCompositeFieldContainer[ExporterCounts]
    final: bool
    def __init__(self, created: _Optional[int] = ..., exporters: _Optional[_Iterable[_Union[ExporterCounts, _Mapping]]] = ..., final: bool = ...) -> None: ...

class PeerReplaced(_message.Message):
    __slots__ = ("group", "worker_id", "incarnation", "keys")
    class KeysEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    GROUP_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    group: str
    worker_id: str
    incarnation: int
    keys: _containers.ScalarMap[str, bytes]
    def __init__(self, group: _Optional[str] = ..., worker_id: _Optional[str] = ..., incarnation: _Optional[int] = ..., keys: _Optional[_Mapping[str, bytes]] = ...) -> None: ...
