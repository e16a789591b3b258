"""A real OTLP receiver for tests, over gRPC or HTTP, which also misbehaves as told.

Needs the extra `sk-observability[otlp]`, and nothing else of this package.
"""

from sk_observability.testing._answers import ACCEPT, HANG, Answer
from sk_observability.testing._receiver import OtlpReceiver, ServerTls
from sk_observability.testing._telemetry import ReceivedLog, ReceivedPoint, ReceivedSpan

__all__ = [
    "ACCEPT",
    "HANG",
    "Answer",
    "OtlpReceiver",
    "ReceivedLog",
    "ReceivedPoint",
    "ReceivedSpan",
    "ServerTls",
]
