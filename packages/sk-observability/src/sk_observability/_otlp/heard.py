"""What a receiver answered last. OpenTelemetry's exporters say that they failed, but not why."""

from __future__ import annotations

from typing import Any

from sk_observability.errors import ExportFailedError


class Heard:
    """The outcome of the last request, as told by the code that sees the receiver's answers.

    `reason` is why it failed; None while there is no answer, and after an acceptance. `rejected` is
    how many items the receiver did not take of a request that it accepted. Once `final` is set, the
    exporter is kept from trying a failed request again.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.rejected = 0
        self.final = False

    def begin(self) -> None:
        """A request is about to be sent: forget the outcome of the one before."""
        self.reason, self.rejected = None, 0

    def failed(self, reason: str) -> None:
        """The request failed, for this reason.

        :raises ExportFailedError: where `final` is set, so that the exporter does not try again.
        """
        self.reason = reason
        if self.final:
            raise ExportFailedError(reason)

    def accepted(self, partial: Any) -> None:
        """Take in the `partial_success` of a response, which is empty where all was accepted."""
        # Its one number is `rejected_spans`, `rejected_log_records` or the like.
        self.rejected = sum(v for _, v in partial.ListFields() if isinstance(v, int))
