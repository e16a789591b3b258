"""The errors of requests: one that is not taken on, and one whose time is over."""

from __future__ import annotations

from sk_kernel._base_error import KernelError


class RequestRefusedError(KernelError):
    """A request was not taken on; nothing was sent."""


class TooManyRequestsError(RequestRefusedError):
    """As many requests as allowed are with the nodes: the caller may try again when one is done.

    For ``unfinished`` of them nobody waits any more: their time is over, or they were cancelled, or
    answered by a part of what they lead to. The nodes have not done with them all the same.
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
    """More inputs at once than may ever be in flight together: to try again is of no use."""

    def __init__(self, count: int, limit: int) -> None:
        self.count, self.limit = count, limit
        super().__init__(
            f"{count} inputs at once, and no more than {limit} requests may be in flight"
            " (runtime.platform.requests.max_in_flight): give fewer at a time, or allow more"
        )


class TraceInUseError(RequestRefusedError):
    """A request in flight goes by that trace id already."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        super().__init__(f"a request in flight goes by {trace_id!r}: each needs a name of its own")


class UnsendableRequestError(RequestRefusedError):
    """A request cannot be sent as its caller has made it; ``problem`` says what is wrong with it.

    Where only the worker that it comes to can know (a field of another type than its class
    declares), the request has failed, and this is the cause. Its trace is then ``trace_id``.
    """

    trace_id: str | None = None

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"a request cannot be sent with {problem}")


class RequestExpiredError(KernelError):
    """The time of a request was over before a node had done with it: nobody waits for it any more.

    It is the ``cause_type`` of a node's failure, and never raised to a caller, whose request has
    the outcome ``timeout``. Where the node was a coroutine, the ``__cause__`` shows where it stood.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        super().__init__(
            f"node {node!r} had not done with a request when its time was over: ask with more time,"
            " or give what the node waits for less"
        )


class RequestsClosedError(RequestRefusedError):
    """The run takes no requests on: it has not begun, is stopping, or has ended.

    Where it has failed, ``ended`` says of what in one line, and the failure is the ``__cause__``.
    """

    def __init__(self, ended: str = "") -> None:
        self.ended = ended
        why = f"has ended: {ended}" if ended else "has not started, is stopping, or has ended"
        super().__init__(f"request rejected: the run {why}")
