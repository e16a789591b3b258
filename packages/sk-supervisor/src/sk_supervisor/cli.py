"""The ``sk`` command."""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click

from sk_supervisor._operate.commands import COMMANDS
from sk_supervisor._pages.commands import PAGES
from sk_supervisor._replay.commands import replay
from sk_supervisor._run.configured import configured, load, prepared
from sk_supervisor._system.last_code import LastCode
from sk_supervisor.errors import EXIT_OPERATION, EXIT_SIGNAL_BASE

if TYPE_CHECKING:
    from sk_config import Config

#: The errors of a write to a full disk, to a file at its size limit, or to a failed terminal or
#: device.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

EXIT_CODES = """\b
Exit codes:
  0    done; also a run with an unbounded source that was stopped and drained
  1    the command could not do what was asked: no such run or no answer (status, top,
       stop, events), a record or dead letter that failed or is not there (replay),
       nothing to show or an unreadable line (trace, timeline), standard output is full
  2    faults in the configuration, or wrong usage
  3    start or readiness failed
  4    a worker, node or adapter failed
  5    forced end, or the stop took too long (also: stop --timeout was exceeded)
  129  stopped by SIGHUP, after a clean drain
  130  stopped by SIGINT (Ctrl-C), after a clean drain
  141  nobody reads standard output any more
  143  stopped by SIGTERM or sk stop, after a clean drain"""

_RUN_ID = "Id of the run (default: generated). Runs with the same id have the same trace ids."
_PROFILE = "Measure the run and print a time profile at its end."


class _Sk(click.Group):
    """The command group. It reports in one line that standard output cannot be written.

    click itself handles closed pipes only. Ctrl-C ends the command with its exit code and no
    message.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(EXIT_SIGNAL_BASE + signal.SIGINT)

    def main(self, *args: Any, **settings: Any) -> Any:
        try:
            return super().main(*args, **settings)
        except OSError as error:
            if error.filename is not None or error.errno not in _FULL:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the flush at exit cannot fail
            click.echo(f"error: cannot write to standard output: {error.strerror}", err=True)
            sys.exit(EXIT_OPERATION)


@click.group(cls=_Sk, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sk-supervisor", prog_name="sk")
def main() -> None:
    """Run graphs of plain Python functions, in one process or over worker processes."""


for _command in (*COMMANDS, *PAGES, replay):
    main.add_command(_command)


def _warn_of_requests(config: Config) -> None:
    if config.adapters.source is not None and config.adapters.source.name == "requests":
        asking = "only the program that starts a run can make them, with sk_supervisor.serve()"
        click.echo(f"warning: the source is `requests`: {asking}", err=True)


def _heed_static_secrets(config: Config, *, quiet: bool) -> None:
    """Replace sk-transport's warning of a static secret, which has a file and line, by one line."""
    from sk_supervisor._plan.supervisors import INLINE

    if config.runtime.platform.bootstrap.mode == INLINE:  # it signs no frames
        return
    ipc = config.runtime.platform.execution_ipc
    blocks = [ipc.auth, *([ipc.control.auth] if ipc.control else [])]
    if any(auth.secret_mode == "static" for auth in blocks):  # noqa: S105 - a mode, no secret
        warnings.filterwarnings("ignore", message="a static transport secret")
        if not quiet:
            risk = "whoever can read it can forge messages between the processes of this run"
            click.echo(f"warning: a static secret is in use, for development: {risk}", err=True)


@main.command(name="run")
@configured
@click.option("--run-id", metavar="ID", help=_RUN_ID)
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option("--profile-run", is_flag=True, help=_PROFILE)
@click.pass_obj
def run_command(
    last: LastCode | None,
    config: str,
    overrides: tuple[str, ...],
    run_id: str | None,
    quiet: bool,
    profile_run: bool,
) -> None:
    """Run the application described by CONFIG.

    Ctrl-C stops the run gracefully; a second Ctrl-C ends it at once.
    """
    gc.disable()
    last = last or LastCode()
    try:
        loaded = load(config, overrides)
        if profile_run:
            from sk_supervisor._run.profile_run import profile_with as run
        else:
            from sk_supervisor._run.execute import run_with as run
        from sk_supervisor._system.allocator import keep_freed_memory
    finally:
        # Imported modules and models live until the end: exclude them from garbage collection.
        gc.freeze()
        gc.enable()
    if not quiet:
        _warn_of_requests(loaded)
    _heed_static_secrets(loaded, quiet=quiet)
    keep_freed_memory()  # this process has no other purpose than the run
    code = run(loaded, run_id=run_id, quiet=quiet, last=last)
    from sk_supervisor._plan.supervisors import INLINE, PROCESS_SUPERVISOR

    mode = loaded.runtime.platform.bootstrap.mode
    last.at_once |= mode == PROCESS_SUPERVISOR  # no code of the application has run in this process
    if mode == INLINE and not last.at_once:  # nodes ran in this process
        from sk_supervisor._system.threads import tell_left_behind

        tell_left_behind(sys.stderr)
    sys.exit(code)


@main.command()
@configured
def check(config: str, overrides: tuple[str, ...]) -> None:
    """Check CONFIG: settings, graph, placement. Starts nothing.

    Exits with 0, or with 2 if CONFIG has faults. Warnings do not change the exit code.
    """
    from sk_supervisor._plan.preflight import unused_faults

    found = prepared(config, overrides)
    nodes = _several(len(found.application.graph.nodes), "node")
    groups = _several(len({s.group for s in found.plan.segments}), "group")
    name = found.config.scenario.name
    click.echo(f"ok: {name}, {found.profile} profile, {nodes}, {groups}")
    from sk_config import cautions

    for caution in cautions(found.config):
        click.echo(f"warning: {caution}", err=True)
    for fault in unused_faults(found):
        click.echo(f"warning: over processes this would be refused: {fault}", err=True)


@main.command()
@configured
def graph(config: str, overrides: tuple[str, ...]) -> None:
    """Print the graph of CONFIG and its groups as a Mermaid flowchart."""
    from sk_supervisor._pages.mermaid import flowchart

    click.echo(flowchart(prepared(config, overrides, run_checks=False).plan), nl=False)


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from sk_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


def _several(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)
