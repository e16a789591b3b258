"""Records that one segment gives up: counted, and made dead letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from sk_kernel._declare.failure import NodeFailure
from sk_kernel._letters.letters import (
    DeadLetter,
    class_name,
    payload_bytes,
    whole_key,
    written_letter,
)
from sk_kernel._letters.parts import LetterPart
from sk_kernel._record.envelope import Correlation, Key, root_of

if TYPE_CHECKING:
    from sk_kernel._calls.contexts import Identity


class Loss(NamedTuple):
    """A record that was given up at ``node``, by its policy ``failure``.

    ``cause`` is the type name of ``error``, the exception of the node's last attempt. The error
    itself may contain payload data: pass it only to code that may see the payload.
    """

    node: str
    failure: NodeFailure
    cause: str
    key: Key
    payload: Any
    correlation: Correlation
    error: BaseException


class Losses:
    """Takes the losses of one segment in one process.

    If this worker dies before a batch is acknowledged, another worker repeats the batch and writes
    its dead letters again, to its own part; merging keeps one of each.

    :param part: the file to append to; without one, dead letters are counted and not written.
    :param on_letter: called with the loss of each dead letter.
    """

    def __init__(
        self,
        identity: Identity,
        part: str = "",
        on_letter: Callable[[Loss], None] | None = None,
    ) -> None:
        self._identity, self._on_letter = identity, on_letter
        self.dead_lettered = self.skipped = 0
        self.write_to(part)

    def write_to(self, part: str) -> None:
        """Append the dead letters that follow to the file ``part``; empty: write none."""
        self._part = LetterPart(part) if part else None

    def take(self, loss: Loss) -> None:
        """Count a loss; under the policy ``dead_letter``, also hold its dead letter.

        :raises DeadLetterError: when MessagePack cannot carry the payload.
        """
        if loss.failure.policy == "skip":
            self.skipped += 1
            return
        self.dead_lettered += 1
        if self._on_letter is not None:
            self._on_letter(loss)
        if self._part is not None:
            self._part.hold(self._letter(loss))

    def flush(self, *, of_requests: bool = False) -> None:
        """Write the dead letters that are held: those of a batch, or of requests.

        :raises DeadLetterError: when the file cannot be written.
        """
        if self._part is not None:
            self._part.flush(of_requests=of_requests)

    def line(self, loss: Loss) -> bytes:
        """Return the line of a loss in a file of dead letters.

        :raises DeadLetterError: when MessagePack cannot carry the payload.
        """
        return written_letter(self._letter(loss))

    def _letter(self, loss: Loss) -> DeadLetter:
        sequence, run = root_of(loss.key), self._identity
        return DeadLetter(
            sequence=sequence,
            node=loss.node,
            cause=loss.cause,
            attempts=loss.failure.attempts,
            trace_id=loss.correlation.trace_id or run.ids.of(sequence),
            run_id=run.run_id,
            key=whole_key(loss.key),
            type=class_name(type(loss.payload)),
            payload=payload_bytes(loss.node, sequence, loss.payload),
            reply_to=loss.correlation.reply_to,
            headers=dict(loss.correlation.headers),
        )
