"""stream kernel: nodes, state and graph, and the runner of the memory profile."""

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._adapters.source import BatchLimits, SourceDriver
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._application.discovery import Catalogue, discover
from sk_kernel._application.failure_faults import letter_file_faults
from sk_kernel._application.fault_trace import note_trace
from sk_kernel._application.preflight import one_of
from sk_kernel._application.spec import AdapterSettings, ApplicationSpec
from sk_kernel._application.whereabouts import application_traceback, line_of
from sk_kernel._batch.batch import Batch, Section
from sk_kernel._batch.key_groups import KEY_GROUPS, KeyOwners, Splitter
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Loss, Losses
from sk_kernel._declare.adapters import Sink, Source
from sk_kernel._declare.context import Context
from sk_kernel._declare.decorators import node, service, sink, source, state
from sk_kernel._declare.failure import FailureSpec, NodeFailure
from sk_kernel._declare.places import last_place
from sk_kernel._graph.entrances import Entrances
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.plan import ExecutionPlan, Segment, make_plan, single_group
from sk_kernel._graph.serving import is_reply_sink, is_request_source
from sk_kernel._letters.file import DeadLetterFile, letter_lines, letter_part
from sk_kernel._letters.keep import file_name
from sk_kernel._letters.letters import DeadLetter, payload_of, read_letter
from sk_kernel._measure.meter import Meter
from sk_kernel._measure.stopwatch import Stage, Stopwatch
from sk_kernel._measure.totals import SECONDS_BOUNDS, Histogram, Totals
from sk_kernel._memory import MEMORY, MemoryRun
from sk_kernel._record.boundary import (
    BoundaryDispatchInput,
    RoutingResult,
    TerminalEvent,
    TerminalStatus,
)
from sk_kernel._record.envelope import Correlation, Envelope, Key
from sk_kernel._record.ids import TraceIds, span_id
from sk_kernel._record.trace_context import w3c_trace_id
from sk_kernel._replies.coordinator import ReplyCoordinatorService
from sk_kernel._replies.facts import ReplyCounters, ReplyEvent
from sk_kernel._replies.route_cache import RouteCache, RouteCacheSnapshot
from sk_kernel._replies.routing import RoutingService
from sk_kernel._replies.waiter import ReplyWaiter
from sk_kernel._replies.waiters import ReplyWaiterService
from sk_kernel._requests.caller import carried_with, names_of
from sk_kernel._requests.outcomes import Outcomes
from sk_kernel._requests.runner import RequestRunner
from sk_kernel._requests.visit import WHOLE, Answer, Tally, Visit, shares
from sk_kernel._requests.wire import RequestCodec
from sk_kernel._run.heap import built_for_good
from sk_kernel._run.segment import SegmentRunner, needs_loop
from sk_kernel._trace.hops import Parcel
from sk_kernel._trace.observe import Tracer
from sk_kernel._trace.span import NodeObserver, NodeSpan, SpanKind, SpanLink
from sk_kernel._trace.span_accounts import ExporterAccount, SpanAccount
from sk_kernel._trace.span_columns import SpanColumns, Spans
from sk_kernel._wire.codec_errors import UNREADABLE
from sk_kernel._wire.parts import WirePart, frames_of
from sk_kernel._wire.portable import wire_faults
from sk_kernel._wire.wire import WireCodec
from sk_kernel.errors import (
    AdapterCheckError,
    AdapterFailedError,
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
    ResolutionError,
    RunError,
    TooManyAliasesError,
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
    "Catalogue",
    "Container",
    "Context",
    "Correlation",
    "DeadLetter",
    "DeadLetterError",
    "DeadLetterFile",
    "DeadLettersLeftError",
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
    "RequestExpiredError",
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
    "UnsendableRequestError",
    "Visit",
    "WireCodec",
    "WireError",
    "WirePart",
    "WorkerStatus",
    "application_traceback",
    "built_for_good",
    "carried_with",
    "discover",
    "file_name",
    "frames_of",
    "is_reply_sink",
    "is_request_source",
    "last_place",
    "letter_file_faults",
    "letter_lines",
    "letter_part",
    "line_of",
    "make_plan",
    "names_of",
    "needs_loop",
    "node",
    "note_trace",
    "one_of",
    "payload_of",
    "read_letter",
    "service",
    "shares",
    "single_group",
    "sink",
    "source",
    "span_id",
    "state",
    "w3c_trace_id",
    "wire_faults",
]
