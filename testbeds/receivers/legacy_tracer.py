"""A tracer of the OpenTracing days for the bridge: `jaeger-client`, to an agent at an address.

Workers import it by the name `legacy_tracer:jaeger`.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import TimeoutError as LateError
from typing import Any

from jaeger_client import Config

_SECONDS_TO_FLUSH = 5.0
#: Its own default is 100, and what does not fit is dropped.
_QUEUE = 100_000


class PatientTracer:
    """The tracer, whose `close` waits until what it holds has been sent."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)

    def close(self) -> None:
        """Flush and close it, for a limited time."""

        async def flush() -> None:
            await self._tracer.close()

        # Its future is one of its own loop, which no other thread can wait for.
        loop = self._tracer.reporter.io_loop.asyncio_loop
        with contextlib.suppress(LateError):
            asyncio.run_coroutine_threadsafe(flush(), loop).result(_SECONDS_TO_FLUSH)


def jaeger(host: str, port: int) -> PatientTracer:
    """Make a tracer that samples everything."""
    settings = {
        "sampler": {"type": "const", "param": 1},
        "local_agent": {"reporting_host": host, "reporting_port": port},
        "reporter_queue_size": _QUEUE,
        "reporter_batch_size": 50,
    }
    return PatientTracer(Config(config=settings, service_name="fund-load").new_tracer())
