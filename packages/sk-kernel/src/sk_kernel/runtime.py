"""What runs applications: for supervisors, workers and other engines, not for applications.

The packages of this project are made of it. It follows their needs: a name may go, or mean
something else, with a new minor version of sk-kernel.
"""

from sk_kernel._adapters.sink import SinkDriver
from sk_kernel._adapters.source import BatchLimits, SourceDriver
from sk_kernel._application.application import ApplicationContext
from sk_kernel._application.container import Container
from sk_kernel._application.discovery import Catalogue, discover
from sk_kernel._application.failure_faults import letter_file_faults
from sk_kernel._application.preflight import one_of
from sk_kernel._batch.batch import Batch, Section
from sk_kernel._batch.fault_trace import note_trace
from sk_kernel._batch.key_groups import KEY_GROUPS, KeyOwners, Splitter
from sk_kernel._calls.contexts import Identity
from sk_kernel._calls.losses import Loss, Losses
from sk_kernel._declare.places import last_place
from sk_kernel._graph.entrances import Entrances
from sk_kernel._graph.graph import SINK, SOURCE, Edge, Graph
from sk_kernel._graph.plan import ExecutionPlan, Segment, make_plan, single_group
from sk_kernel._graph.serving import is_reply_sink, is_request_source
from sk_kernel._guard.lineage import forks
from sk_kernel._guard.whereabouts import application_traceback, line_of
from sk_kernel._letters.file import DeadLetterFile
from sk_kernel._letters.keep import file_name
from sk_kernel._letters.letters import payload_of
from sk_kernel._letters.merging import Share
from sk_kernel._letters.parts import letter_part
from sk_kernel._letters.staged import StagedLetters, staged_letters
from sk_kernel._measure.meter import Meter
from sk_kernel._measure.stopwatch import Stage, Stopwatch
from sk_kernel._memory.account import MEMORY
from sk_kernel._memory.run import MemoryRun
from sk_kernel._paths import is_path
from sk_kernel._record.boundary import RoutingResult
from sk_kernel._record.envelope import Correlation, Key
from sk_kernel._record.ids import TraceIds, span_id
from sk_kernel._record.trace_context import w3c_trace_id
from sk_kernel._remedy import remedy_of, with_remedy
from sk_kernel._replies.coordinator import ReplyCoordinatorService
from sk_kernel._replies.facts import ReplyCounters, ReplyEvent
from sk_kernel._replies.route_cache import RouteCache, RouteCacheSnapshot
from sk_kernel._replies.routing import RoutingService
from sk_kernel._replies.waiters import ReplyWaiterService
from sk_kernel._requests.caller import carried_with, names_of
from sk_kernel._requests.outcomes import Outcomes
from sk_kernel._requests.runner import RequestRunner
from sk_kernel._requests.visit import WHOLE, Answer, Tally, Visit, shares
from sk_kernel._requests.wire import RequestCodec
from sk_kernel._run.heap import built_for_good
from sk_kernel._run.loops import close_loop, loop_if
from sk_kernel._run.segment import SegmentRunner, needs_loop
from sk_kernel._trace.hops import Parcel
from sk_kernel._trace.observe import Tracer
from sk_kernel._wire.codec_errors import UNREADABLE
from sk_kernel._wire.parts import WirePart, frames_of
from sk_kernel._wire.portable import wire_faults
from sk_kernel._wire.wire import WireCodec

__all__ = [
    "KEY_GROUPS",
    "MEMORY",
    "SINK",
    "SOURCE",
    "UNREADABLE",
    "WHOLE",
    "Answer",
    "ApplicationContext",
    "Batch",
    "BatchLimits",
    "Catalogue",
    "Container",
    "Correlation",
    "DeadLetterFile",
    "Edge",
    "Entrances",
    "ExecutionPlan",
    "Graph",
    "Identity",
    "Key",
    "KeyOwners",
    "Loss",
    "Losses",
    "MemoryRun",
    "Meter",
    "Outcomes",
    "Parcel",
    "ReplyCoordinatorService",
    "ReplyCounters",
    "ReplyEvent",
    "ReplyWaiterService",
    "RequestCodec",
    "RequestRunner",
    "RouteCache",
    "RouteCacheSnapshot",
    "RoutingResult",
    "RoutingService",
    "Section",
    "Segment",
    "SegmentRunner",
    "Share",
    "SinkDriver",
    "SourceDriver",
    "Splitter",
    "Stage",
    "StagedLetters",
    "Stopwatch",
    "Tally",
    "TraceIds",
    "Tracer",
    "Visit",
    "WireCodec",
    "WirePart",
    "application_traceback",
    "built_for_good",
    "carried_with",
    "close_loop",
    "discover",
    "file_name",
    "forks",
    "frames_of",
    "is_path",
    "is_reply_sink",
    "is_request_source",
    "last_place",
    "letter_file_faults",
    "letter_part",
    "line_of",
    "loop_if",
    "make_plan",
    "names_of",
    "needs_loop",
    "note_trace",
    "one_of",
    "payload_of",
    "remedy_of",
    "shares",
    "single_group",
    "span_id",
    "staged_letters",
    "w3c_trace_id",
    "wire_faults",
    "with_remedy",
]
