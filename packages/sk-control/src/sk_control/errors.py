"""Every exception of sk-control: the whole tree, by whose fault it is.

`ControlUsageError` is the caller's, `MessageRefusedError` the peer's, `ControlConnectionError` the
environment's; a `ControlProtocolError` belongs to whoever sent the message that it names. Each has
typed fields and a message built from those alone: no payload, no key. All of them pickle. Nothing
of grpc, protobuf or the operating system leaves the package in any other form.
"""

from __future__ import annotations

from sk_transport import FieldedError

from sk_control._codes import ProtocolCode, RefusalCategory, RefusalCode
from sk_control._kinds import MessageKind
from sk_control._transitions import SessionState


class ControlError(FieldedError):
    """Base of every error that leaves this package. A subclass's annotations are its fields."""

    says = "the control plane failed"


# ---- the caller's fault: the call cannot mean anything as it stands ------------------------------


class ControlUsageError(ControlError):
    """The call cannot mean anything: the caller's fault."""


class InvalidFieldError(ControlUsageError, ValueError):
    """A field of a message has a value that the wire cannot carry."""

    message: str
    field: str
    expected: str
    says = "{message}.{field}: expected {expected}"


class ControlSettingError(ControlUsageError, ValueError):
    """A setting of the server or channel is impossible."""

    setting: str
    value: object
    expected: str
    says = "{setting} is {value!r}, expected {expected}"


class WorkerExpectedTwiceError(ControlUsageError):
    """A worker id was announced before; ids hold the incarnation and are used once per session."""

    worker_id: str
    says = "worker {worker_id!r} is expected already: a restart needs a new id"


class WorkerNotExpectedError(ControlUsageError):
    """The caller names a worker that was never announced."""

    worker_id: str
    says = "worker {worker_id!r} was never expected: call expect() first"


class KeyBundleConsumedError(ControlUsageError):
    """The bundle was taken already; it is handed out once, so that its keys have one owner."""

    worker_id: str
    says = "the key bundle of worker {worker_id!r} has been taken already"


class ControlClosedError(ControlUsageError):
    """The server or channel was closed by its owner before this call."""

    what: str
    says = "the {what} is closed"


# ---- a message out of order: the fault of whoever sent it ----------------------------------------


class ControlProtocolError(ControlError):
    """A message is out of order; the session stays in the state that it was in."""

    code: ProtocolCode
    state: SessionState
    message_kind: MessageKind
    worker_id: str
    says = "worker {worker_id!r}: {message_kind.label} is not allowed in state {state} ({code})"


# ---- the peer's fault: what arrived is not a message of this session -----------------------------


class MessageRefusedError(ControlError):
    """A message is not to be believed, and had no effect. `worker_id` is the worker it names."""

    code: RefusalCode
    worker_id: str = ""
    detail: str = ""

    @property
    def category(self) -> RefusalCategory:
        """What the refusal is counted under."""
        return self.code.category

    def __str__(self) -> str:
        claimed = f" that names worker {self.worker_id!r}" if self.worker_id else ""
        detail = f": {self.detail}" if self.detail else ""
        return f"a control message{claimed} is refused ({self.category}/{self.code}){detail}"


class VersionMismatchError(MessageRefusedError):
    """The two ends speak no common protocol version."""

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
        """Make one from the versions of both ends."""
        return cls(RefusalCode.VERSION_MISMATCH, worker_id, ours=ours, theirs=theirs)

    def __str__(self) -> str:
        return ControlError.__str__(self)


class HelloRefusedError(ControlError):
    """The supervisor refused this worker's hello; category and code came unsigned."""

    worker_id: str
    category: str
    code: str
    says = "the supervisor refuses the hello of worker {worker_id!r} ({category}/{code})"


# ---- the environment's fault: a port, a peer process or the machine ------------------------------


class ControlConnectionError(ControlError):
    """The other end cannot be reached, or has gone: the environment's fault."""


class ControlBindError(ControlConnectionError):
    """The control port cannot be opened."""

    address: str
    reason: str
    says = "cannot listen on {address} ({reason}): choose another port, or 0 for any free one"


class ControlConnectError(ControlConnectionError):
    """No session: nothing listens there, what listens is no control server, or it went away."""

    address: str
    reason: str
    says = "no control session with {address}: {reason}"


class ControlTimeoutError(ControlConnectionError):
    """The supervisor delivered no bootstrap bundle in time."""

    address: str
    seconds: float
    says = "no bootstrap bundle from {address} within {seconds:g} s"


class ControlLostError(ControlConnectionError):
    """The stream is gone, so nothing can be sent. A callback or event reports the loss itself."""

    worker_id: str
    says = "the control stream of worker {worker_id!r} is gone"
