"""Replay of dead letters: each runs through the graph from its node on, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace
from sk_kernel import (
    AdapterFailedError,
    DeadLetter,
    DeadLetterError,
    FailureSpec,
    NodeFailedError,
    NodeFailure,
    RunError,
    letter_lines,
    read_letter,
)
from sk_kernel.runtime import (
    MEMORY,
    ApplicationContext,
    Batch,
    Container,
    Correlation,
    Identity,
    Loss,
    Losses,
    SegmentRunner,
    SinkDriver,
    StagedLetters,
    TraceIds,
    application_traceback,
    line_of,
    loop_if,
    make_plan,
    needs_loop,
    payload_of,
    single_group,
    staged_letters,
)

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._replay.holding import HoldingApplication, is_held, remains

if TYPE_CHECKING:
    import asyncio


class LetterOptions(NamedTuple):
    """How dead letters are replayed: see :func:`replay_letters`."""

    write: bool
    tracebacks: bool
    limit: int
    remaining: str | None = None
    quiet: bool = False


@dataclass(slots=True)
class Replayed:
    """The results of a replay of dead letters; ``failures`` describes the first ``limit`` failures.

    ``held`` counts the dead letters that neither failed nor succeeded, because nodes with
    ``finish()`` hold records of them; ``held_by`` counts these records by node. ``left`` counts the
    dead letters in the file of remaining ones, and is None without such a file. The ``unreadable``
    lines, which are no dead letters, are not in that file.
    """

    limit: int
    left: int | None = None
    unreadable: int = 0
    succeeded: int = 0
    failed: int = 0
    held: int = 0
    written: int = 0
    failures: list[str] = field(default_factory=list)
    held_by: Counter[str] = field(default_factory=Counter)

    def fail(self, what: str) -> None:
        """Count a dead letter that failed again."""
        self.failed += 1
        if len(self.failures) < self.limit:
            self.failures.append(what)


class _Noted(Losses):
    """Keeps the losses of one dead letter and, with ``leaves``, new dead letters for them."""

    def __init__(self, identity: Identity, *, leaves: bool) -> None:
        super().__init__(identity)
        self._leaves = leaves
        self.last: list[Loss] = []
        self.lines: list[bytes] = []

    def take(self, loss: Loss) -> None:
        if self._leaves and remains(loss):  # first, since the loss may have no encoding
            self.lines.append(self.line(loss))
        self.last.append(loss)

    def clear(self) -> None:
        self.last.clear()
        self.lines.clear()


def replay_letters(prepared: Prepared, path: str, how: LetterOptions) -> Replayed:
    """Replay the dead letters of a file, or of a folder of parts, in their order.

    States are empty at first, and no node finishes: a record that a node holds is reported, and
    remains if it is surely in no output. The sink is created only with ``write``, and opened by the
    first result; it then commits all of them. An error of a node is shown as its type and the line
    that raised it, or, with ``tracebacks``, as a traceback, which may contain payloads.

    If ``remaining`` names a file, dead letters that fail again are written to it, at the end.
    Without ``write`` they are written unchanged. With ``write``, the results of a dead letter may
    be in the output in part: then only the records that failed are written, as new dead letters of
    the nodes that raised.

    :raises DeadLetterError: when the dead letters cannot be read, or the remaining ones cannot be
        written.
    :raises DeadLettersLeftError: when the remaining ones cannot be put in place after the output
        was committed.
    :raises AdapterFailedError: when the sink failed; it was aborted.
    """
    with closing(letter_lines(path)) as lines:
        first = list(islice(lines, 1))
        run_id = _first_run(path, first[0]) if first else ""
        graph = prepared.application.graph
        container = prepared.application.container()
        with ExitStack() as ends:
            left = None
            if how.remaining is not None:
                left = ends.enter_context(staged_letters(how.remaining, after_output=how.write))
            loop = ends.enter_context(loop_if(needed=needs_loop(graph, graph.order)))
            ends.callback(container.close, loop)
            sink = ends.enter_context(_sink(prepared.application, container, write=how.write))
            result = Replayed(how.limit)
            replay = _Replay(
                prepared,
                run_id,
                container,
                sink=sink,
                loop=loop,
                result=result,
                left=left,
                tracebacks=how.tracebacks,
            )
            replay.all(chain(first, lines))
        return result


def _first_run(path: str, line: bytes) -> str:
    try:
        return read_letter(line).run_id
    except DeadLetterError as error:
        raise DeadLetterError("read", f"{path}, line 1", error.problem) from None


class _Replay:
    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        container: Container,
        *,
        sink: _Output | None,
        loop: asyncio.Runner | None,
        result: Replayed,
        left: StagedLetters | None,
        tracebacks: bool,
    ) -> None:
        self._tracebacks, self._result, self._left = tracebacks, result, left
        spec, given = prepared.application.spec, prepared.application
        failure = FailureSpec(
            # A node with finish() is called only once: it may hold the record after an error.
            nodes={
                name: NodeFailure("skip", 1 if node.finish else spec.failure.of(name).attempts)
                for name, node in given.graph.nodes.items()
            }
        )
        context = HoldingApplication(replace(spec, failure=failure), catalogue=given.catalogue)
        self._graph, self._run_id, self._sink = context.graph, run_id, sink
        identity = Identity(run_id, spec.scenario, MEMORY, TraceIds(run_id))
        # If a dead letter's results may be written in part, only the rest of it remains.
        self._noted = _Noted(identity, leaves=left is not None and sink is not None)
        plan = make_plan(self._graph, single_group(self._graph, MEMORY), context.all_states)
        self._runner = SegmentRunner(
            context,
            plan,
            plan.segments[0],
            container,
            identity,
            write=self._write,
            loop=loop,
            losses=self._noted,
        )

    def all(self, lines: Iterable[bytes]) -> None:
        """Replay every dead letter, and count the results."""
        for number, line in enumerate(lines, 1):
            try:
                letter = read_letter(line)
            except DeadLetterError as error:
                self._result.fail(f"line {number}: {error.problem}")
                self._result.unreadable += 1
                continue
            self._noted.clear()
            problem = self._problem(number, letter)
            if problem:
                self._result.fail(f"record {letter.sequence}, {problem}")
            elif self._noted.last:
                self._result.held += 1
            else:
                self._result.succeeded += 1
            if problem or any(map(remains, self._noted.last)):
                self._leave(self._noted.lines or [line])
        if self._left is not None:
            self._left.stage()  # before the output is committed
            self._result.left = self._left.count

    def _leave(self, lines: Iterable[bytes]) -> None:
        if self._left is not None:
            for line in lines:
                self._left.add(line)

    def _problem(self, number: int, letter: DeadLetter) -> str:
        if letter.run_id != self._run_id:
            return f"node {letter.node!r}: it is of another run ({letter.run_id}) than the first"
        key = letter.key if self._graph.branching else letter.sequence
        batch = Batch(number, letter.sequence, letter.sequence)
        known = Correlation(letter.trace_id, letter.reply_to, letter.headers)
        batch.correlations[key] = known
        try:
            edge, payload = payload_of(self._graph, letter)
            self._runner.resume(batch, edge, key, payload)
        except AdapterFailedError:
            raise
        except RunError as error:
            self._noted.clear()  # it has no results: all of it remains
            cause = error.cause_type if isinstance(error, NodeFailedError) else error
            return f"node {letter.node!r}: {cause}"
        held = [loss.node for loss in self._noted.last if is_held(loss)]
        self._result.held_by.update(held)
        return "\n".join(self._told(loss) for loss in self._noted.last if not is_held(loss))

    def _told(self, loss: Loss) -> str:
        told = f"node {loss.node!r}: {loss.cause}{line_of(loss.error)}"
        return f"{told}\n{application_traceback(loss.error)}" if self._tracebacks else told

    def _write(self, payloads: Sequence[Any]) -> None:
        if self._sink is not None:
            self._sink.write(payloads)
            self._result.written += len(payloads)


class _Output:
    """The sink, opened by the first result: a replay without results leaves its output alone."""

    def __init__(self, sink: SinkDriver) -> None:
        self._sink, self._is_open = sink, False

    def write(self, payloads: Sequence[Any]) -> None:
        if not self._is_open:
            self._is_open = True
            self._sink.open()
        self._sink.write(payloads)

    def end(self, *, complete: bool) -> None:
        if self._is_open:
            self._sink.end(complete=complete)


@contextmanager
def _sink(
    application: ApplicationContext, container: Container, *, write: bool
) -> Iterator[_Output | None]:
    if not write:
        yield None
        return
    with closing(SinkDriver(application.graph, application.make_sink(container))) as sink:
        output = _Output(sink)
        try:
            yield output
            output.end(complete=True)
        except BaseException as error:
            try:
                output.end(complete=False)
            except AdapterFailedError as second:
                error.add_note(f"and then: {second}")
            raise
