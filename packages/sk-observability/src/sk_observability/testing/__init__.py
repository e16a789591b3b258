"""A real OTLP receiver for tests, over gRPC or HTTP, which can be told to misbehave.

Needs the extra `sk-observability[otlp]`, and nothing else of this package.
"""

from sk_observability.testing._answers import ACCEPT, HANG, Answer
from sk_observability.testing._received import ReceivedLog, ReceivedPoint, ReceivedSpan
from sk_observability.testing._receiver import OtlpReceiver
from sk_observability.testing._server_tls import ServerTls

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
