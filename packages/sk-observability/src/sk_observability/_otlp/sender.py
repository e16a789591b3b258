"""The sender of the OTLP kinds, for all signals: sends batches, and retries one at the end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from sk_observability._exporting.reasons import CLOSED, REJECTED, reason_of
from sk_observability._metrics.metric import Signal
from sk_observability._otlp.heard import Heard
from sk_observability._otlp.settings import OtlpSettings
from sk_observability.errors import ExportFailedError

T = TypeVar("T")


class Client(Protocol):
    """An exporter of the OpenTelemetry project."""

    def export(self, batch: Any, /) -> Any:
        """Send a batch; return SUCCESS or FAILURE."""

    def shutdown(self) -> None:
        """End a request in progress, and close the connection."""


Connector = Callable[[], Client]
"""Makes an exporter, with a connection of its own."""


class OtlpSender(Generic[T]):
    """A `Sender` that converts items and has an OpenTelemetry exporter send them.

    `connect` makes the exporter. The exporter pauses between retries, up to many seconds, and only
    its `shutdown` ends a pause: hence a second exporter may be made at the end.
    """

    def __init__(
        self, connect: Connector, heard: Heard, convert: Callable[[Sequence[T]], Any]
    ) -> None:
        self._connect, self._heard, self._convert = connect, heard, convert
        self._client: Client | None = None
        self._aborted = False
        self._lock = threading.Lock()

    def send(self, items: Sequence[T]) -> None:
        """See `Sender`."""
        batch = self._convert(items)
        failure = self._failure_of(batch, len(items))
        if failure and failure.reason != REJECTED and self._heard.final:
            # At the end one more try is made, over a new connection: a pause may have been cut
            # short, or the old connection may have gone stale.
            self._hang_up()
            failure = self._failure_of(batch, len(items))
        if failure:
            raise failure

    def finish(self) -> None:
        """See `Sender`."""
        self._heard.final = True
        if self._heard.reason is not None:
            self._hang_up()

    def abort(self) -> None:
        """See `Sender`; over HTTP, a request in progress still lasts until its timeout."""
        self._aborted = True
        self._hang_up()

    def close(self) -> None:
        """See `Sender`."""
        self.abort()

    def _failure_of(self, batch: Any, size: int) -> ExportFailedError | None:
        heard = self._heard
        heard.begin()
        try:
            result = self._connected().export(batch)
        except ExportFailedError as error:
            return error
        except Exception as error:  # noqa: BLE001 - counted by the caller
            # This includes what the library raises if `finish` hangs up just before a retry.
            return ExportFailedError(reason_of(error))
        if result.name != "SUCCESS" or heard.reason is not None:
            return ExportFailedError(heard.reason or "export_failed")
        return ExportFailedError(REJECTED, size - heard.rejected) if heard.rejected else None

    def _connected(self) -> Client:
        with self._lock:
            if self._aborted:
                raise ExportFailedError(CLOSED)
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _hang_up(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.shutdown()


def otlp_sender(
    signal: Signal, settings: OtlpSettings, convert: Callable[[Sequence[T]], Any]
) -> OtlpSender[T]:
    """Return a sender of one signal, over the protocol that the settings name.

    `convert` converts items to the type that OpenTelemetry's exporter of that signal takes. This
    imports that exporter: only a sending thread calls it.
    """
    _keep_off_stderr()
    if settings.protocol == "grpc":
        from sk_observability._otlp.grpc import connector
    else:
        from sk_observability._otlp.http import connector
    heard = Heard()
    return OtlpSender(connector(signal, settings, heard), heard, convert)


def _keep_off_stderr() -> None:
    """Keep OpenTelemetry's log messages off stderr, unless its logger has handlers."""
    logger = logging.getLogger("opentelemetry")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
