"""The parts of a supervisor of worker processes, and their assembly for a run.

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
from sk_supervisor._session.session_handle import SessionHandle
from sk_supervisor._session.spawning import Spawner
from sk_supervisor._session.starting import Starting
from sk_supervisor._session.workload import Workload
from sk_supervisor._stop.draining import Draining
from sk_supervisor._stop.ending import Ending
from sk_supervisor._stop.stopping import Stopping
from sk_supervisor._supervisor.dispatcher import Dispatcher
from sk_supervisor._supervisor.report import progress_of
from sk_supervisor._supervisor.transport import Transport
from sk_supervisor._supervisor.waiting import Waiting
from sk_supervisor._text.redaction import redactor_of


class SupervisorParts:
    """The parts that the supervisor calls; constructing them opens and starts nothing.

    Each part gets only parts that were made before it. None of them knows its supervisor.
    """

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
        self._prepared, self._log = prepared, log
        clean, platform = redactor_of(prepared.config), prepared.config.runtime.platform
        self.clock = LoopClock()
        self.spans, self.causes = SpanBooks(), EndCauses(self.clock)
        self.refusals, self.session = Refusals(log), SessionHandle()
        self.letters = DeadLetterFile(prepared.application.spec.failure)
        self.mailbox = Mailbox(self.spans, self.clock)
        put = self.mailbox.put
        self.handoff = Handoff(prepared.plan, platform, lambda: put(RequestsSettled()), clean)
        self.roster = Roster(
            log,
            lambda record: on_progress(progress_of(record)),
            clean=clean,
            forget=self._forget,
            at_hand=self.session.at_hand,
            skipped=self.mailbox.skipped,
        )
        self.work = Workload(prepared, self.roster, self.session)
        spawner = Spawner(
            self.roster, self.session, clock=self.clock, put=put, on_line=on_line, clean=clean
        )
        successors = self._successors(run_id, spawner)
        self.draining = self._draining(successors)
        loop = self._loop(successors, on_handoff_failure)
        self.waiting = self._waiting(loop)
        self.ending = self._ending(loop, successors)
        self.starting = Starting(
            prepared.groups,
            log=log,
            roster=self.roster,
            session=self.session,
            spawner=spawner,
            to_open=partial(self._to_open, transport, run_id),
            put=put,
            wait=self.waiting.until,
        )

    def _forget(self, worker: str) -> None:
        """Forget a worker after its second successor: its counts are in its place's sum."""
        self.mailbox.forget(worker)
        self.session.forget(worker)

    def _successors(self, run_id: str, spawner: Spawner) -> Successors:
        return Successors(
            self._prepared.groups,
            run_id,
            log=self._log,
            roster=self.roster,
            clock=self.clock,
            spawn=spawner.spawn,
            blame=self.causes.blame,
            complete=self.session.complete,
        )

    def _draining(self, successors: Successors) -> Draining:
        return Draining(
            self._prepared,
            log=self._log,
            clock=self.clock,
            causes=self.causes,
            work=self.work,
            successors=successors,
            handoff=self.handoff,
        )

    def _loop(self, successors: Successors, on_handoff_failure: OnFailure) -> SupervisorLoop:
        failing = Failing(self.roster, self.causes, successors.follow)
        judge = Judge(self.roster, self._log, failing)
        dispatcher = Dispatcher(
            self.roster,
            log=self._log,
            clock=self.clock,
            causes=self.causes,
            failing=failing,
            judge=judge,
            on_ready=self.work.pass_gate,
            on_stop=self.draining.requested,
            on_settled=self.draining.requests_settled,
            on_handoff_failure=on_handoff_failure,
        )
        memory = MemoryLimits(self.roster, failing.fail)
        alarms = self.refusals, successors, memory, self.draining.timer, self.draining.expiry
        return SupervisorLoop(
            self.mailbox,
            dispatcher.dispatch,
            judge=judge,
            log=self._log,
            clock=self.clock,
            alarms=alarms,
        )

    def _waiting(self, loop: SupervisorLoop) -> Waiting:
        return Waiting(
            loop,
            causes=self.causes,
            roster=self.roster,
            session=self.session,
            work=self.work,
            handoff=self.handoff,
            draining=self.draining,
        )

    def _ending(self, loop: SupervisorLoop, successors: Successors) -> Ending:
        stopping = Stopping(
            self.roster,
            loop,
            causes=self.causes,
            log=self._log,
            tell=self.session.tell,
            order=self.work.order,
        )
        return Ending(
            loop,
            causes=self.causes,
            work=self.work,
            successors=successors,
            draining=self.draining,
            stopping=stopping,
        )

    def _to_open(
        self, transport: Transport[type[Session]], run_id: str, profile: str
    ) -> Callable[[], Session]:
        """Return the function that opens the session of the workers.

        :param profile: the folder of their profiles; empty for none.
        """
        return partial(
            transport.open,
            self._prepared,
            run_id,
            put=self.mailbox.put,
            refusals=self.refusals,
            handoff=self.handoff,
            letters=self.letters.open(),
            profile=profile,
        )
