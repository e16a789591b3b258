"""stream kernel: nodes, state and graph, and the runner of the memory profile."""

from sk_kernel._adapters import Sink, Source
from sk_kernel._application import ApplicationContext
from sk_kernel._application_spec import AdapterSettings, ApplicationSpec
from sk_kernel._batch import Batch, Section
from sk_kernel._boundary import BoundaryDispatchInput, RoutingResult, TerminalEvent, TerminalStatus
from sk_kernel._calls import Identity
from sk_kernel._codec_errors import UNREADABLE
from sk_kernel._container import Container
from sk_kernel._context import Context
from sk_kernel._decorators import node, service, sink, source, state
from sk_kernel._entrances import Entrances
from sk_kernel._envelope import Correlation, Envelope, Key
from sk_kernel._failure import FailureSpec, NodeFailure
from sk_kernel._graph import SINK, SOURCE, Edge, Graph
from sk_kernel._heap import built_for_good
from sk_kernel._hops import Parcel
from sk_kernel._ids import TraceIds, span_id
from sk_kernel._key_groups import KEY_GROUPS, KeyOwners, Splitter
from sk_kernel._letter_file import DeadLetterFile, file_name, letter_part
from sk_kernel._letters import DeadLetter, payload_of, read_letter
from sk_kernel._losses import Loss, Losses
from sk_kernel._memory import MEMORY, MemoryRun
from sk_kernel._meter import Meter
from sk_kernel._observe import Tracer
from sk_kernel._plan import ExecutionPlan, Segment, make_plan, single_group
from sk_kernel._portable import wire_faults
from sk_kernel._reply_coordinator import ReplyCoordinatorService
from sk_kernel._reply_facts import ReplyCounters, ReplyEvent
from sk_kernel._reply_waiters import ReplyWaiterService
from sk_kernel._request_caller import names_of, told
from sk_kernel._request_outcomes import Outcomes
from sk_kernel._request_runner import RequestRunner
from sk_kernel._request_wire import RequestCodec
from sk_kernel._route_cache import RouteCache, RouteCacheSnapshot
from sk_kernel._routing import RoutingService
from sk_kernel._segment import SegmentRunner, needs_loop
from sk_kernel._serving import is_reply_sink, is_request_source
from sk_kernel._sink_driver import SinkDriver
from sk_kernel._source_driver import BatchLimits, SourceDriver
from sk_kernel._span import NodeObserver, NodeSpan, SpanKind, SpanLink
from sk_kernel._span_accounts import ExporterAccount, SpanAccount
from sk_kernel._span_columns import SpanColumns, Spans
from sk_kernel._stopwatch import Stage, Stopwatch
from sk_kernel._totals import SECONDS_BOUNDS, Histogram, Totals
from sk_kernel._visit import WHOLE, Answer, Tally, Visit, shares
from sk_kernel._waiter import ReplyWaiter
from sk_kernel._whereabouts import application_traceback, line_of
from sk_kernel._wire import WireCodec
from sk_kernel._wire_parts import WirePart, frames_of
from sk_kernel.errors import (
    AdapterCheckError,
    AdapterFailedError,
    DeadLetterError,
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
    RequestRefusedError,
    RequestsClosedError,
    ResolutionError,
    RunError,
    TooManyAliasesError,
    TooManyRequestsError,
    TraceInUseError,
    UnknownRouteError,
    UnknownTargetError,
    WireError,
)
from sk_kernel.ports import (
    SUPERVISORS,
    BootstrapSupervisor,
    EventRail,
    LifecycleEvent,
    Progress,
    RunReport,
    RunSetup,
    SupervisorFactory,
)
from sk_kernel.status import STATUS_VERSION, GroupStatus, RunStatus, WorkerStatus

__version__ = "0.1.0"

__all__ = [
    "KEY_GROUPS",
    "MEMORY",
    "SECONDS_BOUNDS",
    "SINK",
    "SOURCE",
    "STATUS_VERSION",
    "SUPERVISORS",
    "UNREADABLE",
    "WHOLE",
    "AdapterCheckError",
    "AdapterFailedError",
    "AdapterSettings",
    "Answer",
    "ApplicationContext",
    "ApplicationSpec",
    "Batch",
    "BatchLimits",
    "BootstrapSupervisor",
    "BoundaryDispatchInput",
    "Container",
    "Context",
    "Correlation",
    "DeadLetter",
    "DeadLetterError",
    "DeadLetterFile",
    "DefinitionError",
    "DiscoveryError",
    "Edge",
    "Entrances",
    "Envelope",
    "EventRail",
    "ExecutionPlan",
    "ExporterAccount",
    "FailureSpec",
    "Fault",
    "Graph",
    "GroupStatus",
    "Histogram",
    "Identity",
    "KernelError",
    "Key",
    "KeyOwners",
    "LifecycleCallError",
    "LifecycleError",
    "LifecycleEvent",
    "Loss",
    "Losses",
    "MemoryRun",
    "Meter",
    "MovedKeyError",
    "NodeFailedError",
    "NodeFailure",
    "NodeObserver",
    "NodeOutputError",
    "NodeSpan",
    "Outcomes",
    "Parcel",
    "PreflightError",
    "Progress",
    "RecordTooLargeError",
    "ReplyCoordinatorService",
    "ReplyCounters",
    "ReplyEvent",
    "ReplyWaiter",
    "ReplyWaiterService",
    "RequestCodec",
    "RequestRefusedError",
    "RequestRunner",
    "RequestsClosedError",
    "ResolutionError",
    "RouteCache",
    "RouteCacheSnapshot",
    "RoutingResult",
    "RoutingService",
    "RunError",
    "RunReport",
    "RunSetup",
    "RunStatus",
    "Section",
    "Segment",
    "SegmentRunner",
    "Sink",
    "SinkDriver",
    "Source",
    "SourceDriver",
    "SpanAccount",
    "SpanColumns",
    "SpanKind",
    "SpanLink",
    "Spans",
    "Splitter",
    "Stage",
    "Stopwatch",
    "SupervisorFactory",
    "Tally",
    "TerminalEvent",
    "TerminalStatus",
    "TooManyAliasesError",
    "TooManyRequestsError",
    "Totals",
    "TraceIds",
    "TraceInUseError",
    "Tracer",
    "UnknownRouteError",
    "UnknownTargetError",
    "Visit",
    "WireCodec",
    "WireError",
    "WirePart",
    "WorkerStatus",
    "application_traceback",
    "built_for_good",
    "file_name",
    "frames_of",
    "is_reply_sink",
    "is_request_source",
    "letter_part",
    "line_of",
    "make_plan",
    "names_of",
    "needs_loop",
    "node",
    "payload_of",
    "read_letter",
    "service",
    "shares",
    "single_group",
    "sink",
    "source",
    "span_id",
    "state",
    "told",
    "wire_faults",
]
