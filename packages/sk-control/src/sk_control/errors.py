"""All errors of sk-control, grouped by the party at fault.

`ControlUsageError` is the fault of the caller, `MessageRefusedError` of the peer,
`ControlConnectionError` of the environment, and `ControlProtocolError` of the sender of the message
that it names. Each has typed fields and a message built from those alone, with no payload and no
key. All of them can be pickled. Errors of grpc, protobuf and the operating system leave the package
in no other form.
"""

from __future__ import annotations

from sk_transport import FieldedError

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._kinds import MessageKind
from sk_control._transitions import SessionState


class ControlError(FieldedError):
    """Base of every error that leaves this package. A subclass's annotations are its fields."""

    says = "the control plane failed"


# ---- the caller is at fault: the call is not valid -----------------------------------------------


class ControlUsageError(ControlError):
    """The call is not valid; the caller is at fault."""


class InvalidFieldError(ControlUsageError, ValueError):
    """A field of a message has a value that is not allowed."""

    message: str
    field: str
    expected: str
    says = "{message}.{field}: expected {expected}"


class ControlSettingError(ControlUsageError, ValueError):
    """A setting of the server or channel has a value that is not allowed."""

    setting: str
    value: object
    expected: str
    says = "{setting} is {value!r}, expected {expected}"


class WorkerExpectedTwiceError(ControlUsageError):
    """A worker of this id is expected already; each incarnation needs an id of its own."""

    worker_id: str
    says = "worker {worker_id!r} is expected already: a restart needs a new id"


class WorkerNotExpectedError(ControlUsageError):
    """The caller names a worker that was never expected, or was forgotten."""

    worker_id: str
    says = "worker {worker_id!r} was never expected: call expect() first"


class KeyBundleConsumedError(ControlUsageError):
    """The bundle was taken already; it is returned only once, so that its keys have one owner."""

    worker_id: str
    says = "the key bundle of worker {worker_id!r} has been taken already"


class ControlClosedError(ControlUsageError):
    """The server or channel was closed by its owner before this call."""

    what: str
    says = "the {what} is closed"


# ---- a message out of order: its sender is at fault ----------------------------------------------


class ControlProtocolError(ControlError):
    """A message is out of order; the state of the session is unchanged."""

    code: ProtocolCode
    state: SessionState
    message_kind: MessageKind
    worker_id: str
    says = "worker {worker_id!r}: {message_kind.label} is not allowed in state {state} ({code})"


# ---- the peer is at fault: the received bytes are not a message of this session ------------------


class MessageRefusedError(ControlError):
    """A message was rejected and had no effect. `worker_id` is the worker that it names, if any."""

    code: RefusalCode
    worker_id: str = ""
    detail: str = ""

    @property
    def category(self) -> RefusalCategory:
        """The category under which the refusal is counted."""
        return self.code.category

    def __str__(self) -> str:
        claimed = f" that names worker {self.worker_id!r}" if self.worker_id else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"a control message{claimed} is refused ({self.category}/{self.code}){detail}"


class VersionMismatchError(MessageRefusedError):
    """The two ends have no protocol version in common."""

    ours: tuple[int, ...] = ()
    theirs: tuple[int, ...] = ()
    says = (
        "this end of the control channel speaks protocol versions {ours}, the peer {theirs}: "
        "install the same release of sk-control on both"
    )

    @classmethod
    def between(
        cls, ours: tuple[int, ...], theirs: tuple[int, ...], worker_id: str
    ) -> VersionMismatchError:
        """Return the error for the versions of both ends."""
        return cls(RefusalCode.VERSION_MISMATCH, worker_id, ours=ours, theirs=theirs)

    def __str__(self) -> str:
        return ControlError.__str__(self)


class HelloRefusedError(ControlError):
    """The supervisor rejected this worker's hello; category and code arrived unsigned."""

    worker_id: str
    category: str
    code: str
    says = "the supervisor refuses the hello of worker {worker_id!r} ({category}/{code})"


# ---- the environment is at fault: a port, a peer process or the machine --------------------------


class ControlConnectionError(ControlError):
    """The other end cannot be reached, or is gone; the environment is at fault."""


class ControlBindError(ControlConnectionError):
    """The control server cannot listen on its port."""

    address: str
    reason: str
    says = "cannot listen on {address} ({reason}): choose another port, or 0 for any free one"


class ControlConnectError(ControlConnectionError):
    """No session was opened: no control server listens at the address, or it went away."""

    address: str
    reason: str
    says = "no control session with {address}: {reason}"


class ControlTimeoutError(ControlConnectionError):
    """The bootstrap bundle did not arrive within the time limit, in seconds."""

    address: str
    seconds: float
    says = "no bootstrap bundle from {address} within {seconds:g} s"


class ControlLostError(ControlConnectionError):
    """The stream is gone, so nothing can be sent. A callback or event also reports the loss."""

    worker_id: str
    says = "the control stream of worker {worker_id!r} is gone"
