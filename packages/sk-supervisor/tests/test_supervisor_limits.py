"""The limits of the system: a run that does not fit in them is refused before it starts."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_config import build_config
from sk_control import ControlServer
from sk_observability import LifecycleLog
from sk_supervisor import (
    MultiprocessBootstrapSupervisor,
    RuntimeLifecycleReadyError,
    prepare,
)
from sk_supervisor._limits.need import FILES_FOR_A_MOMENT, Limit, need_of, shortage
from sk_supervisor._limits.read import pids_limits, processors, user_limits
from sk_supervisor._session.session import Session
from sk_supervisor._supervisor.transport import Transport, scope_of
from sk_supervisor.errors import SystemLimitError
from supervisor_harness import (
    GROUPS,
    ONE_GROUP,
    descriptors_left,
    settings,
    sk_words,
    supervised,
    written,
)
from supervisor_runs import Runs

if TYPE_CHECKING:
    from sk_config import ControlConfig

#: Each in a group of its own; the source's is one of them.
FIVE = tuple(
    {"name": f"g{number}", "nodes": [node]}
    for number, node in enumerate(["source:source", "split", "work", "tally_up", "sink:sink"])
)
#: Standard input, output and error.
STANDARD = 3


def limit(allowed: int, taken: int, name: str = "the limit") -> Limit:
    return Limit(name, "things", allowed, taken, "raise it")


# ---- the rule ------------------------------------------------------------------------------------


@given(st.integers(0, 500), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500))))
def test_a_run_is_short_where_any_limit_leaves_less_than_it_needs(
    needed: int, pairs: list[tuple[int, int]]
) -> None:
    short = shortage(needed, [limit(allowed, taken) for allowed, taken in pairs])
    assert (short is not None) == any(max(a - t, 0) < needed for a, t in pairs)


def test_what_is_told_is_the_limit_that_leaves_the_least() -> None:
    short = shortage(30, [limit(100, 80, "one"), limit(20, 15, "two"), limit(99, 90, "three")])
    assert str(short) == "the run needs 30 more things, and two leaves 5 of 20: raise it"


@pytest.mark.parametrize(("processors", "threads"), [(1, 6), (4, 6), (9, 11), (16, 18), (64, 18)])
def test_each_process_has_a_thread_of_grpc_for_each_processor_within_bounds(
    processors: int, threads: int
) -> None:
    fewer, more = need_of(1, processors), need_of(2, processors)
    assert more.tasks - fewer.tasks == 4 + 6 + threads
    assert more.files - fewer.files == 6


def test_the_page_on_operating_tells_the_same_numbers() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text()
    for workers in (3, 5, 20):
        few, many = need_of(workers, 4), need_of(workers, 16)
        row = f"| {workers} workers | {few.tasks} | {many.tasks} | {few.files + STANDARD} |\n"
        assert row in page


# ---- the rule beside a run -----------------------------------------------------------------------


def threads_of(process: psutil.Process) -> list[str]:
    """The names that the kernel has for its threads: the beginnings of those that they have."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return [(task / "comm").read_text().strip() for task in tasks]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have names in /proc")
@pytest.mark.parametrize("groups", [ONE_GROUP, GROUPS, FIVE], ids=["1", "3", "5"])
def test_a_run_takes_what_it_was_held_to_need(
    runs: Runs, groups: Sequence[Mapping[str, Any]]
) -> None:
    """To the last thread, but for those that gRPC adds for a while where the machine is busy.

    Of the open files some are for a moment only.
    """
    run, need = runs.waiting(groups=groups), need_of(len(groups), processors())
    supervisor = psutil.Process(run.command.process.pid)
    tasks, added = 0, 0
    for process in (supervisor, *supervisor.children(recursive=True)):
        names = threads_of(process)
        added += max(names.count("event_engine") - min(max(processors(), 4), 16), 0)
        tasks += len(names)
    files = supervisor.num_fds() - STANDARD
    assert (tasks - added, files) == (need.tasks + 1, need.files - FILES_FOR_A_MOMENT)


# ---- a start that is refused ---------------------------------------------------------------------


def test_a_run_that_may_not_have_enough_open_is_refused_in_one_line(target: Path) -> None:
    script = 'ulimit -n 30; exec "$@"'
    words = ["sh", "-c", script, "sh", *sk_words("run", written(target.parent, settings(target)))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == 3
    said = "start failed (limit) after 0.0 s: the run needs 41 more open files, and RLIMIT_NOFILE"
    assert re.fullmatch(rf"error: {re.escape(said)} leaves \d+ of 30: raise it .*\n", done.stderr)


def test_a_supervisor_of_a_program_refuses_it_too(target: Path) -> None:
    with supervised(target) as run, descriptors_left(5), pytest.raises(SystemLimitError) as caught:
        run.start()
    short = caught.value
    assert (short.limit, short.category, short.exit_code) == ("RLIMIT_NOFILE", "limit", 3)
    assert (short.left, short.workers) == (5, ("in", "mid", "out"))
    assert run.pids() == []


#: Has a user id of its own, so that nobody else's processes count, and may have 20 of them.
_AS_SOMEBODY = """
import os, resource, sys
from sk_supervisor._limits.read import user_limits
resource.setrlimit(resource.RLIMIT_NPROC, (20, 20))
os.setresuid(*[int(sys.argv[1])] * 3)
print(*[(each.name, each.allowed, each.taken) for each in user_limits(50)])
print(*[each.taken < 10 for each in user_limits(1)])
"""


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can be another")
def test_the_processes_of_a_user_are_counted(tmp_path: Path) -> None:
    user = str(50_000 + os.getpid() % 10_000)
    done = subprocess.run(
        [sys.executable, "-c", _AS_SOMEBODY, user], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("('RLIMIT_NPROC', 20, 1)\nTrue\n", "")


# ---- what the kernel says ------------------------------------------------------------------------


@pytest.fixture
def group(tmp_path: Path) -> Callable[[str, str, int], None]:
    """Make a control group below a mount of the test's."""

    def made(path: str, most: str, current: int) -> None:
        folder = tmp_path / path.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pids.max").write_text(f"{most}\n")
        (folder / "pids.current").write_text(f"{current}\n")

    return made


@pytest.mark.parametrize(
    ("line", "mount"),
    [("0::/a/b", ""), ("0::/a/b", "unified"), ("8:pids:/a/b", "pids"), ("4:pids,x:/a/b", "pids,x")],
    ids=["version 2", "both versions", "version 1", "version 1, several controllers"],
)
def test_the_limits_of_a_control_group_and_of_those_above_it_are_read(
    group: Callable[[str, str, int], None], tmp_path: Path, line: str, mount: str
) -> None:
    group(f"{mount}/a/b", "max", 3)
    group(f"{mount}/a", "100", 7)
    group(f"{mount}", "500", 9)
    group("other", "1", 1)
    found = list(pids_limits(["1:cpu:/other", line], tmp_path))
    assert [(each.allowed, each.taken) for each in found] == [(100, 7), (500, 9)]
    assert found[0].name == str(tmp_path / mount / "a" / "pids.max")


def test_of_a_control_group_that_is_not_to_be_seen_what_is_mounted_counts(
    group: Callable[[str, str, int], None], tmp_path: Path
) -> None:
    """A container sees its own as the root of the mount, and may be told its path outside."""
    group("pids", "50", 2)
    (found,) = pids_limits(["8:pids:/docker/0123"], tmp_path)
    assert found.left == 48


def test_where_nobody_says_what_a_process_may_do_its_user_has_no_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is where ``/proc`` is emulated."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self/uid_map").write_text("0 0 4294967295\n")
    (tmp_path / "self/status").write_text("Name:\tpython\nThreads:\t1\n")
    (tmp_path / "loadavg").write_text("0.00 0.00 0.00 1/100 7\n")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (50, 50))
    assert list(user_limits(10, tmp_path)) == []


# ---- what the system refuses all the same --------------------------------------------------------


class Hungry(Session):
    """Opens whatever its process may have open."""

    taken: ClassVar[list[int]] = []

    def eat(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(os.dup(0))


class HungryAtOnce(Hungry):
    """Before it has a port for the workers' control sessions."""

    def _control_server(self, control: ControlConfig) -> ControlServer:
        self.eat()
        return super()._control_server(control)


class HungryThen(Hungry):
    """Once it is open, and before there are workers."""

    def addresses(self) -> dict[str, str]:
        self.eat()
        return super().addresses()


@pytest.mark.parametrize("hungry", [HungryAtOnce, HungryThen], ids=["a port", "a process"])
def test_what_cannot_be_had_all_the_same_is_told_with_what_to_do(
    target: Path, hungry: type[Session]
) -> None:
    scope = scope_of(Transport("tcp_local", hungry))
    prepared = prepare(build_config(settings(target)))
    supervisor = MultiprocessBootstrapSupervisor(prepared, "r1", LifecycleLog("r1"), scope=scope)
    refused = pytest.raises(RuntimeLifecycleReadyError, match=r"Too many open .* \(ulimit -n; ")
    try:
        with descriptors_left(60), refused as caught:
            supervisor.start_groups(["in", "mid", "out"])
    finally:
        while Hungry.taken:
            os.close(Hungry.taken.pop())
        supervisor.shutdown()
    assert caught.value.category == "spawn"
