"""Records that one segment gives up: counted, and written batch by batch as dead letters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from sk_kernel._declare.failure import NodeFailure
from sk_kernel._letters.letters import (
    DeadLetter,
    Place,
    class_name,
    payload_bytes,
    whole_key,
    written_letter,
)
from sk_kernel._letters.place import told_of
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


def requests_part(part: str) -> str:
    """Return the file for dead letters of requests, next to ``part``, the file for the stream's.

    The stream's part is in the order of the input, in which requests have no place.
    """
    stem, _, kind = part.rpartition(".")
    return f"{stem}.asked.{kind}"


class Losses:
    """Takes the losses of one segment in one process.

    Dead letters are held until their batch has passed the segment, and then written in order: so a
    part is sorted. If this worker dies before a batch is acknowledged, another worker repeats the
    batch and writes its dead letters again, to its own part; merging keeps one of each.

    :param part: the file to append to; without one, dead letters are counted and not written.
    :param on_letter: called with the loss of each dead letter.
    """

    def __init__(
        self,
        identity: Identity,
        part: str = "",
        on_letter: Callable[[Loss], None] | None = None,
    ) -> None:
        self._identity, self.part, self._on_letter = identity, part, on_letter
        self.dead_lettered = self.skipped = 0
        self._held: list[tuple[Place, bytes]] = []

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
        if self.part:
            letter = self._letter(loss)
            place = letter.sequence, letter.node, letter.key
            self._held.append((place, written_letter(letter)))

    def flush(self, *, of_requests: bool = False) -> None:
        """Append the dead letters that are held to the part.

        :param of_requests: whether they are dead letters of requests, which have a part of their
            own.
        :raises DeadLetterError: when the file cannot be written.
        """
        if not self._held:
            return
        self._held.sort()
        part = requests_part(self.part) if of_requests else self.part
        with told_of("write", part), open(part, "ab") as file:
            file.write(b"".join(line for _, line in self._held))
        self._held.clear()

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
