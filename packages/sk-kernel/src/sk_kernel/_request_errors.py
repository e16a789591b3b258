"""The errors of requests: rejected ones, and one that has expired in a node."""

from __future__ import annotations

from sk_kernel._base_error import KernelError


class RequestRefusedError(KernelError):
    """A request was rejected; nothing was sent."""


class TooManyRequestsError(RequestRefusedError):
    """The maximum number of requests is in flight; the caller may try again after one has ended.

    ``unfinished`` of them have an outcome already (they timed out, were cancelled, or were answered
    by a part of their records), but the nodes have not finished with them.
    """

    def __init__(self, limit: int, unfinished: int = 0) -> None:
        self.limit, self.unfinished = limit, unfinished
        said = (
            f"{limit} requests are in flight, and no more are allowed"
            " (runtime.platform.requests.max_in_flight): try again"
        )
        if unfinished:
            said += (
                f" when the nodes have done with one (nobody waits for {unfinished} of them any"
                " more: a node is slow, or stuck)"
            )
        super().__init__(said)


class TooManyInputsError(RequestRefusedError):
    """More inputs in one call than requests may be in flight; trying again does not help."""

    def __init__(self, count: int, limit: int) -> None:
        self.count, self.limit = count, limit
        super().__init__(
            f"{count} inputs at once, and no more than {limit} requests may be in flight"
            " (runtime.platform.requests.max_in_flight): give fewer at a time, or allow more"
        )


class TraceInUseError(RequestRefusedError):
    """A request in flight has the same trace id."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        super().__init__(f"a request in flight goes by {trace_id!r}: each needs a name of its own")


class UnsendableRequestError(RequestRefusedError):
    """A request cannot be sent as the caller has built it; ``problem`` describes the fault.

    Some faults are found only by the worker that receives the request, for example a field that is
    not of its declared type. Then the request fails with this error as the cause, and ``trace_id``
    is its trace.
    """

    trace_id: str | None = None

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"a request cannot be sent with {problem}")


class RequestExpiredError(KernelError):
    """The time of a request was over before a node had finished with it.

    It is the ``cause_type`` of a node's failure and is never raised to a caller: the request has
    the outcome ``timeout``. If the node is a coroutine, the ``__cause__`` shows where it waited.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        super().__init__(
            f"node {node!r} had not done with a request when its time was over: ask with more time,"
            " or give what the node waits for less"
        )


class RequestsClosedError(RequestRefusedError):
    """The run takes no requests: it has not begun, is stopping, or has ended.

    If it has failed, ``ended`` is a line about the failure, which is the ``__cause__``.
    """

    def __init__(self, ended: str = "") -> None:
        self.ended = ended
        why = f"has ended: {ended}" if ended else "has not started, is stopping, or has ended"
        super().__init__(f"request rejected: the run {why}")
