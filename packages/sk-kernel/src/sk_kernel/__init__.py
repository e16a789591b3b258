"""stream kernel: the public API to declare, run, observe and test applications.

The parts that run applications are in :mod:`sk_kernel.runtime`.
"""

from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel._declare.adapters import Sink, Source
from sk_kernel._declare.context import Context
from sk_kernel._declare.decorators import node, service, sink, source, state
from sk_kernel._declare.failure import FailureSpec, NodeFailure
from sk_kernel._letters.file import letter_lines
from sk_kernel._letters.letters import DeadLetter, read_letter
from sk_kernel._measure.totals import SECONDS_BOUNDS, Histogram, Totals
from sk_kernel._record.boundary import BoundaryDispatchInput, TerminalEvent, TerminalStatus
from sk_kernel._record.envelope import Envelope
from sk_kernel._replies.waiter import ReplyWaiter
from sk_kernel._trace.span import NodeObserver, NodeSpan, SpanKind, SpanLink
from sk_kernel._trace.span_accounts import ExporterAccount, SpanAccount
from sk_kernel._trace.span_columns import SpanColumns, Spans
from sk_kernel.errors import (
    AdapterFailedError,
    CheckError,
    DeadLetterError,
    DeadLettersLeftError,
    DefinitionError,
    DiscoveryError,
    Fault,
    KernelError,
    LifecycleCallError,
    LifecycleError,
    MovedKeyError,
    NodeFailedError,
    NodeOutputError,
    PreflightError,
    RecordTooLargeError,
    RequestExpiredError,
    RequestRefusedError,
    RequestsClosedError,
    RequestSpreadTooFarError,
    ResolutionError,
    RunError,
    TooManyInputsError,
    TooManyRequestsError,
    TraceInUseError,
    UnknownRouteError,
    UnknownTargetError,
    UnsendableRequestError,
    WireError,
)
from sk_kernel.ports import (
    SUPERVISORS,
    BootstrapSupervisor,
    EventRail,
    LifecycleEvent,
    OnLine,
    Progress,
    RunReport,
    RunSetup,
    SupervisorFactory,
)
from sk_kernel.status import STATUS_VERSION, GroupStatus, RunStatus, WorkerStatus

__version__ = "0.1.0"

__all__ = [
    "SECONDS_BOUNDS",
    "STATUS_VERSION",
    "SUPERVISORS",
    "AdapterFailedError",
    "AdapterSettings",
    "ApplicationSpec",
    "BootstrapSupervisor",
    "BoundaryDispatchInput",
    "CheckError",
    "Context",
    "DeadLetter",
    "DeadLetterError",
    "DeadLettersLeftError",
    "DefinitionError",
    "DiscoveryError",
    "Envelope",
    "EventRail",
    "ExporterAccount",
    "FailureSpec",
    "Fault",
    "GroupStatus",
    "Histogram",
    "KernelError",
    "LifecycleCallError",
    "LifecycleError",
    "LifecycleEvent",
    "MovedKeyError",
    "NodeFailedError",
    "NodeFailure",
    "NodeObserver",
    "NodeOutputError",
    "NodeSpan",
    "OnLine",
    "PreflightError",
    "Progress",
    "RecordTooLargeError",
    "ReplyWaiter",
    "RequestExpiredError",
    "RequestRefusedError",
    "RequestSpreadTooFarError",
    "RequestsClosedError",
    "ResolutionError",
    "RunError",
    "RunReport",
    "RunSetup",
    "RunStatus",
    "Sink",
    "Source",
    "SpanAccount",
    "SpanColumns",
    "SpanKind",
    "SpanLink",
    "Spans",
    "SupervisorFactory",
    "TerminalEvent",
    "TerminalStatus",
    "TooManyInputsError",
    "TooManyRequestsError",
    "Totals",
    "TraceInUseError",
    "UnknownRouteError",
    "UnknownTargetError",
    "UnsendableRequestError",
    "WireError",
    "WorkerStatus",
    "letter_lines",
    "node",
    "read_letter",
    "service",
    "sink",
    "source",
    "state",
]
