"""The parts of a supervisor of worker processes, assembled once for a run.

Any thread puts events into the mailbox. The loop takes them out and passes them to the dispatcher,
which calls the parts that handle workers, stop requests and successors; these do not know the loop.
A method that waits (for the start, the work, the end) turns the loop meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sk_kernel import EventRail, Progress
from sk_kernel.runtime import DeadLetterFile

from sk_supervisor._hub.refusals import Refusals
from sk_supervisor._lives.clock import LoopClock
from sk_supervisor._lives.end_causes import EndCauses
from sk_supervisor._lives.failing import Failing
from sk_supervisor._lives.judge import Judge
from sk_supervisor._lives.memory_limit import MemoryLimits
from sk_supervisor._lives.roster import Roster
from sk_supervisor._lives.successors import Successors
from sk_supervisor._loop.loop import SupervisorLoop
from sk_supervisor._loop.loop_events import RequestsSettled
from sk_supervisor._loop.mailbox import Mailbox
from sk_supervisor._loop.span_books import SpanBooks
from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._processes.output import OnLine
from sk_supervisor._requests.flights import OnFailure
from sk_supervisor._requests.handoff import Handoff
from sk_supervisor._session.session import Session
from sk_supervisor._session.starting import Starting
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import Draining
from sk_supervisor._stop.ending import Ending
from sk_supervisor._stop.stopping import Stopping
from sk_supervisor._supervisor.dispatcher import Dispatcher
from sk_supervisor._supervisor.report import progress_of
from sk_supervisor._supervisor.waiting import Waiting
from sk_supervisor._system.scope import Transport
from sk_supervisor._text.redaction import redactor_of


class SupervisorParts:
    """The parts that the supervisor calls; constructing them opens and starts nothing."""

    def __init__(
        self,
        prepared: Prepared,
        run_id: str,
        log: EventRail,
        transport: Transport[type[Session]],
        *,
        on_progress: Callable[[Progress], None],
        on_line: OnLine,
        on_handoff_failure: OnFailure,
    ) -> None:
        self._prepared, self._run_id, self._transport = prepared, run_id, transport
        groups, clean = prepared.groups, redactor_of(prepared.config)
        self.clock = LoopClock()
        self.spans, self.causes = SpanBooks(), EndCauses(self.clock)
        self.refusals = Refusals(log)
        self.letters = DeadLetterFile(prepared.application.spec.failure)
        self.mailbox = Mailbox(self.spans, self.clock)
        put = self.mailbox.put
        self.handoff = Handoff(
            prepared.plan, prepared.config.runtime.platform, lambda: put(RequestsSettled()), clean
        )
        self.roster = Roster(
            log,
            lambda record: on_progress(progress_of(record)),
            clean,
            self._forget,
            lambda worker: self.work.at_hand(worker),
            self.mailbox.skipped,
        )
        self.work = Workload(prepared, self.roster)
        self.starting = Starting(
            groups,
            log,
            self.roster,
            self.work,
            self.clock,
            to_open=self._to_open,
            put=put,
            on_line=on_line,
            clean=clean,
            wait=lambda is_there, seconds: self.waiting.until(is_there, seconds),
        )
        successors = Successors(
            groups,
            run_id,
            log,
            self.roster,
            self.clock,
            spawn=self.starting.spawn,
            blame=self.causes.blame,
            complete=self.work.complete,
        )
        work, handoff = self.work, self.handoff
        self.draining = Draining(prepared, self.causes, work, successors, handoff, log, self.clock)
        loop = self._made_loop(log, successors, on_handoff_failure)
        self.waiting = Waiting(loop, self.causes, self.roster, work, handoff, self.draining)
        stopping = Stopping(self.roster, loop, self.causes, log, work.tell, work.order)
        self.ending = Ending(loop, self.causes, work, successors, self.draining, stopping)

    def _made_loop(
        self, log: EventRail, successors: Successors, on_handoff_failure: OnFailure
    ) -> SupervisorLoop:
        failing = Failing(self.roster, self.causes, successors.follow)
        judge = Judge(self.roster, log, failing)
        dispatcher = Dispatcher(
            self.roster,
            log,
            self.causes,
            failing,
            judge,
            self.clock,
            on_ready=self.work.pass_gate,
            on_stop=self.draining.requested,
            on_settled=self.draining.requests_settled,
            on_handoff_failure=on_handoff_failure,
        )
        memory = MemoryLimits(self.roster, failing.fail)
        alarms = self.refusals, successors, memory, self.draining.timer, self.draining.expiry
        return SupervisorLoop(self.mailbox, dispatcher.dispatch, judge, log, self.clock, alarms)

    def _forget(self, worker: str) -> None:
        """Forget a worker after its second successor: its counts are in its place's sum."""
        self.mailbox.forget(worker)
        self.work.forget(worker)

    def _to_open(self, profile: str) -> Callable[[], Session]:
        """Return the function that opens the session of the workers.

        :param profile: the folder of their profiles; empty for none.
        """
        return partial(
            self._transport.open,
            self._prepared,
            self._run_id,
            self.mailbox.put,
            self.refusals,
            self.handoff,
            self.letters.open(),
            profile,
        )
