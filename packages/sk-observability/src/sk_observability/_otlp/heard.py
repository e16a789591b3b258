"""The receiver's last answer. OpenTelemetry's exporters report that they failed, but not why."""

from __future__ import annotations

from typing import Any

from sk_observability.errors import ExportFailedError


class Heard:
    """The outcome of the last request, recorded by the code that sees the receiver's answers.

    `reason` is why the request failed; None while there is no answer, and after an acceptance.
    `rejected` is the number of items that the receiver rejected from an accepted request. After
    `final` is set, the exporter is kept from retrying a failed request.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.rejected = 0
        self.final = False

    def begin(self) -> None:
        """Forget the previous outcome: a request is about to be sent."""
        self.reason, self.rejected = None, 0

    def failed(self, reason: str) -> None:
        """Record that the request failed, and the reason.

        :raises ExportFailedError: if `final` is set, so that the exporter does not retry.
        """
        self.reason = reason
        if self.final:
            raise ExportFailedError(reason)

    def accepted(self, partial: Any) -> None:
        """Record the `partial_success` of a response; it is empty if all items were accepted."""
        # Its only number is `rejected_spans`, `rejected_log_records` or the like.
        self.rejected = sum(v for _, v in partial.ListFields() if isinstance(v, int))
