"""Every exception of sk-kernel.

Each exception has fields, builds its message from them, and shows where the fault is:

- a *definition* or *preflight* error is in the application's code or configuration, and is found
  before a record is read;
- a *run* error happens on a record, in the code of a node or an adapter;
- a *lifecycle* error is the fault of a worker or of the supervisor's caller.

The exceptions of requests are in this module, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from sk_kernel._base_error import KernelError as KernelError
from sk_kernel._fault import Fault as Fault
from sk_kernel._request_errors import RequestExpiredError as RequestExpiredError
from sk_kernel._request_errors import RequestRefusedError as RequestRefusedError
from sk_kernel._request_errors import RequestsClosedError as RequestsClosedError
from sk_kernel._request_errors import TooManyInputsError as TooManyInputsError
from sk_kernel._request_errors import TooManyRequestsError as TooManyRequestsError
from sk_kernel._request_errors import TraceInUseError as TraceInUseError
from sk_kernel._request_errors import UnsendableRequestError as UnsendableRequestError

if TYPE_CHECKING:
    from typing import Self

    from sk_kernel._record.envelope import Key


class DefinitionError(KernelError):
    """A decorated function or class violates the rules of its decorator.

    Discovery adds the file and line (``place``) and the other errors that it found (``further``).
    """

    further: tuple[KernelError, ...] = ()

    def __init__(self, what: str, name: str, problem: str, place: str = "") -> None:
        self.what, self.name, self.problem, self.place = what, name, problem, place
        at = f" ({place})" if place else ""
        super().__init__(f"{what} {name!r}: {problem}{at}")

    def at(self, place: str) -> DefinitionError:
        """Return the same error with file and line of the declaration."""
        return DefinitionError(self.what, self.name, self.problem, place)


class PreflightError(KernelError):
    """The application cannot run as configured; ``faults`` has every reason, not only the first."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


class DiscoveryError(KernelError):
    """A module in ``discovery_modules`` could not be imported, or is a folder, not a package.

    ``cause_type`` is the class of the exception that the import raised; empty for a folder.
    ``further`` has the other errors that discovery found, in modules and declarations.
    """

    further: tuple[KernelError, ...] = ()

    def __init__(self, module: str, cause_type: str, problem: str) -> None:
        self.module, self.cause_type, self.problem = module, cause_type, problem
        why = f"cannot import {module!r}: {cause_type}" if cause_type else f"module {module!r}"
        super().__init__(f"{why}: {problem}")


class ResolutionError(KernelError):
    """Dependency injection found nothing for a parameter, or a circular dependency.

    If ``owner`` itself could not be created, ``wanted`` is empty.
    """

    def __init__(self, owner: str, wanted: str, problem: str) -> None:
        self.owner, self.wanted, self.problem = owner, wanted, problem
        asked = f" asks for {wanted}" if wanted else ""
        super().__init__(f"{owner}{asked}: {problem}")


class CheckError(KernelError):
    """Raised by a ``check`` of a source, sink or service: the setting ``field`` is wrong."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class RunError(KernelError):
    """A run could not go on.

    If the error is about one record, ``record`` is the record's key and ``trace_id`` is its trace
    id, whether or not the trace is recorded.
    """

    record: Key | None = None
    trace_id: str | None = None

    def about(self, record: Key) -> Self:
        """Return this error with the key of the record that it is about."""
        self.record = record
        return self


def _at(sequence: int | None) -> str:
    return "" if sequence is None else f" on {_which(sequence)}"


def _which(sequence: int) -> str:
    """Name the record of this number; requests have numbers below 0, records of a source do not."""
    return "a request" if sequence < 0 else f"record {sequence}"


#: The message for a breakpoint in a process that has no terminal.
_NO_TERMINAL = (
    "a breakpoint needs a terminal, and a worker process has none: run it in one process, with"
    " --set runtime.platform.bootstrap.mode=inline"
)


class NodeFailedError(RunError):
    """The code of a node raised; the original exception is the ``__cause__``.

    The message contains no payload.
    """

    def __init__(self, node: str, cause_type: str, sequence: int | None = None) -> None:
        self.node, self.cause_type, self.sequence = node, cause_type, sequence
        tail = f": {_NO_TERMINAL}" if cause_type == "BdbQuit" else ""
        super().__init__(f"node {node!r} raised {cause_type}{_at(sequence)}{tail}")


class NodeOutputError(RunError):
    """A node or the source returned a payload that its annotation does not declare.

    It is also raised if a field of the payload is not of its declared type, or if MessagePack
    cannot carry the payload to another process. ``declared`` is empty if ``got`` is sufficient.
    """

    def __init__(self, node: str, got: str, declared: str, sequence: int | None = None) -> None:
        self.node, self.got, self.declared, self.sequence = node, got, declared, sequence
        tail = f", but declares {declared}" if declared else ""
        if declared and got == "NoneType":
            tail += f" (write {declared} | None to leave a record out)"
        if declared and got == "coroutine":
            tail += " (an await is missing, or the node is to be async def)"
        super().__init__(f"{node!r} returned {got}{_at(sequence)}{tail}")


class MovedKeyError(RunError):
    """A node changed the key by which the workers of its group divide records among them.

    ``nodes`` are those that may have changed it: the record may have passed through them since its
    worker was last known to be right. ``node`` is the last of them, whose output goes to
    ``consumer``.
    """

    def __init__(self, nodes: tuple[str, ...], consumer: str, key: str, sequence: int) -> None:
        self.nodes, self.node = nodes, nodes[-1]
        self.consumer, self.key, self.sequence = consumer, key, sequence
        who = " or ".join(map(repr, nodes))
        super().__init__(
            f"{who} changed {key!r}{_at(sequence)}, and so it came to {consumer!r} in the wrong"
            f" worker: give the group one worker, or, where they share no state, put {consumer!r}"
            " into a group of its own"
        )


class UnknownTargetError(RunError):
    """An envelope names a target that does not exist or does not consume its payload's type."""

    def __init__(
        self, node: str, target: str, payload_type: str, sequence: int | None = None
    ) -> None:
        self.node, self.target, self.payload_type = node, target, payload_type
        self.sequence = sequence
        super().__init__(
            f"{node!r} sent {payload_type} to {target!r}{_at(sequence)}:"
            " no such node consumes that type"
        )


class AdapterFailedError(RunError):
    """A source or a sink raised while it was created, opened, read, written or committed.

    ``problem`` is the original message if that cannot contain a payload, otherwise empty. ``after``
    is the number of records that the source had returned before a read failed.
    """

    def __init__(
        self, adapter: str, action: str, cause_type: str, problem: str = "", after: int = 0
    ) -> None:
        self.adapter, self.action = adapter, action
        self.cause_type, self.problem, self.after = cause_type, problem, after
        tail = f": {problem}" if problem else ""
        position = f" after {after:,} record{'s' * (after > 1)}" if after else ""
        super().__init__(f"{adapter} failed to {action}{position}: {cause_type}{tail}")


class WireError(RunError):
    """Bytes from another process are not a batch of this graph; ``problem`` is the reason."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"not a batch of this graph: {problem}")


class RecordTooLargeError(RunError):
    """A single record is larger than the limit of a frame.

    ``node`` returned the record; if ``sequence`` is None, it is the target of a request.
    """

    def __init__(self, node: str, sequence: int | None, size: int, limit: int) -> None:
        self.node, self.sequence, self.size, self.limit = node, sequence, size, limit
        given = f"{_which(sequence)} from" if sequence is not None else "a request to"
        super().__init__(
            f"{given} {node!r} takes {size} bytes, over the limit of {limit}:"
            " raise runtime.platform.execution_ipc.max_payload_bytes"
        )


class RequestSpreadTooFarError(RunError):
    """A request has branched at so many process borders that its parts cannot be counted.

    It is the ``cause_type`` of a failure at ``node`` and is never raised to a caller.
    """

    def __init__(self, node: str) -> None:
        self.node = node
        super().__init__(
            f"a request has become too many parts after {node!r} to be kept count of: put nodes"
            " that make several records of one into a group with those that take them"
        )


class DeadLetterError(RunError):
    """A dead letter, or a file of dead letters, cannot be read or written."""

    def __init__(self, action: str, what: str, problem: str) -> None:
        self.action, self.what, self.problem = action, what, problem
        super().__init__(f"dead letters: cannot {action} {what}: {problem}")


class DeadLettersLeftError(DeadLetterError):
    """The output of a run is committed, but its dead letters are not in their file.

    ``parts`` is the folder that has them; empty if there are none.
    """

    def __init__(self, error: DeadLetterError, parts: str) -> None:
        self.parts = parts
        super().__init__(error.action, error.what, error.problem)
        where = f"the dead letters are in {parts}" if parts else "there are no dead letters"
        self.args = (f"{error}; the output is committed all the same, and {where}",)


class LifecycleError(KernelError):
    """Base of the errors that a :class:`sk_kernel.BootstrapSupervisor` raises itself.

    ``exit_code`` is the exit code of the ``sk`` command: 3 for a start, 4 for a worker, 5 for a
    stop.
    """

    exit_code: ClassVar[int] = 4


class LifecycleCallError(LifecycleError):
    """A call that the supervisor's state does not allow, or that names an unknown group.

    It is also raised if coroutine nodes are to run in a thread in which an event loop runs already.
    """

    exit_code = 3

    def __init__(self, wanted: str, problem: str) -> None:
        self.wanted, self.problem = wanted, problem
        super().__init__(f"{wanted}: {problem}")


class UnknownRouteError(RunError):
    """No group runs the target of a payload: the caller named a wrong target or group.

    ``target`` is empty if none was named. ``category`` is that of the failed handoff.
    """

    category: ClassVar[str] = "transport"

    def __init__(self, problem: str, *, target: str = "", group: str = "") -> None:
        self.problem, self.target, self.group = problem, target, group
        super().__init__(f"no route: {problem}")
