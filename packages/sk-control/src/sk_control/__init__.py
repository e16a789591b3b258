"""Control plane of stream kernel: signed protobuf messages over gRPC on loopback.

`ControlServer` is the supervisor's end, `ControlPlaneChannel` the worker's. They exchange the
messages of `ControlMessage`, in an order that `TRANSITIONS` defines.
"""

from sk_control._bundle_keys import BootstrapKeyBundle
from sk_control._channel import ControlPlaneChannel
from sk_control._codec import decode, encode
from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._events import (
    ControlEvent,
    LossReason,
    Refused,
    WorkerHello,
    WorkerLost,
    WorkerMessage,
)
from sk_control._identity import WorkerIdentity
from sk_control._kinds import Direction, MessageKind
from sk_control._messages import (
    BootstrapBundle,
    BundleAck,
    ControlMessage,
    Hello,
    PeerReplaced,
    Ready,
    StartWork,
    Stop,
    StopAck,
)
from sk_control._metering import Metering
from sk_control._reports import (
    Drained,
    DrainOutcome,
    ExporterCounts,
    Failed,
    Heartbeat,
    Progress,
    SpanCounts,
)
from sk_control._server import ControlServer
from sk_control._session import ControlPlaneSession
from sk_control._settings import ControlSettings
from sk_control._transitions import TRANSITIONS, SessionState, next_state
from sk_control.errors import (
    ControlBindError,
    ControlClosedError,
    ControlConnectError,
    ControlConnectionError,
    ControlError,
    ControlLostError,
    ControlProtocolError,
    ControlSettingError,
    ControlTimeoutError,
    ControlUsageError,
    HelloRefusedError,
    InvalidFieldError,
    KeyBundleConsumedError,
    MessageRefusedError,
    VersionMismatchError,
    WorkerExpectedTwiceError,
    WorkerNotExpectedError,
)

__all__ = [
    "TRANSITIONS",
    "BootstrapBundle",
    "BootstrapKeyBundle",
    "BundleAck",
    "ControlBindError",
    "ControlClosedError",
    "ControlConnectError",
    "ControlConnectionError",
    "ControlError",
    "ControlEvent",
    "ControlLostError",
    "ControlMessage",
    "ControlPlaneChannel",
    "ControlPlaneSession",
    "ControlProtocolError",
    "ControlServer",
    "ControlSettingError",
    "ControlSettings",
    "ControlTimeoutError",
    "ControlUsageError",
    "Direction",
    "DrainOutcome",
    "Drained",
    "ExporterCounts",
    "Failed",
    "Heartbeat",
    "Hello",
    "HelloRefusedError",
    "InvalidFieldError",
    "KeyBundleConsumedError",
    "LossReason",
    "MessageKind",
    "MessageRefusedError",
    "Metering",
    "PeerReplaced",
    "Progress",
    "ProtocolCode",
    "Ready",
    "RefusalCategory",
    "RefusalCode",
    "Refused",
    "SessionState",
    "SpanCounts",
    "StartWork",
    "Stop",
    "StopAck",
    "VersionMismatchError",
    "WorkerExpectedTwiceError",
    "WorkerHello",
    "WorkerIdentity",
    "WorkerLost",
    "WorkerMessage",
    "WorkerNotExpectedError",
    "decode",
    "encode",
    "next_state",
]

__version__ = "0.1.0"
