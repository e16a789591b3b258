"""The ``sk`` command."""

from __future__ import annotations

import errno
import gc
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sk_supervisor._operate.commands import COMMANDS
from sk_supervisor._pages.commands import PAGES
from sk_supervisor._system.last_code import LastCode
from sk_supervisor.errors import EXIT_CONFIGURATION, EXIT_OPERATION, EXIT_SIGNAL_BASE

if TYPE_CHECKING:
    from sk_config import Config

F = TypeVar("F", bound=Callable[..., Any])

#: Why a file, a disk or a terminal may take no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

EXIT_CODES = """\b
Exit codes: 0 done, 2 configuration, 3 start or readiness, 4 worker failure,
5 stop timeout (forced), 129/130/143 stopped by SIGHUP/SIGINT/SIGTERM after a clean drain
(143: by sk stop too), 141 the reader of standard output has gone, 1 no such run, or no answer from
it (status, top, stop, events), or nothing to be read (trace, timeline)."""


class _Sk(click.Group):
    """It tells in one line of a standard output that takes no more; click knows of pipes only.

    Ctrl-C ends it with its code, and without a word.
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
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing is left to fail at the exit
            click.echo(f"error: cannot write to standard output: {error.strerror}", err=True)
            sys.exit(EXIT_OPERATION)


@click.group(cls=_Sk, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sk-supervisor", prog_name="sk")
def main() -> None:
    """Run graphs of plain Python nodes, in one process or over worker processes."""


for _command in (*COMMANDS, *PAGES):
    main.add_command(_command)


def _configured(command: F) -> F:
    command = click.option(
        "--set", "overrides", metavar="PATH=VALUE", multiple=True, help="Override one value."
    )(command)
    return click.argument("config", type=click.Path(dir_okay=True))(command)


def _load(path: str, overrides: tuple[str, ...]) -> Config:
    from sk_config import ConfigError, load_config

    _find_modules_here()
    try:
        return load_config(path, overrides=overrides)
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_CONFIGURATION)


def _warn_of_requests(config: Config) -> None:
    if config.adapters.source is not None and config.adapters.source.name == "requests":
        asking = "only the program that starts a run can make them, with sk_supervisor.serve()"
        click.echo(f"warning: the source is `requests`: {asking}", err=True)


def _heed_static_secrets(config: Config, *, quiet: bool) -> None:
    """Say in one line what sk-transport would warn of with its own file and line."""
    from sk_supervisor._plan.supervisors import INLINE

    if config.runtime.platform.bootstrap.mode == INLINE:  # which has nothing to sign
        return
    ipc = config.runtime.platform.execution_ipc
    blocks = [ipc.auth, *([ipc.control.auth] if ipc.control else [])]
    if any(auth.secret_mode == "static" for auth in blocks):  # noqa: S105 - a mode, no secret
        warnings.filterwarnings("ignore", message="a static transport secret")
        if not quiet:
            risk = "whoever can read it can forge messages between the processes of this run"
            click.echo(f"warning: a static secret is in use, for development: {risk}", err=True)


def _find_modules_here() -> None:
    # As `python -m` does: an application's modules are found in the folder it is run from.
    if "" not in sys.path:
        sys.path.insert(0, "")


@main.command(name="run")
@_configured
@click.option("--run-id", help="Name of the run; the same run has the same trace ids.")
@click.option("--quiet", is_flag=True, help="No progress and no summary; errors only.")
@click.option("--profile-run", is_flag=True, help="Measure, and tell where the time went.")
@click.pass_obj
def run_command(
    last: LastCode | None,
    config: str,
    overrides: tuple[str, ...],
    run_id: str | None,
    quiet: bool,
    profile_run: bool,
) -> None:
    """Run CONFIG in the profile that it names."""
    gc.disable()
    last = last or LastCode()
    try:
        loaded = _load(config, overrides)
        if profile_run:
            from sk_supervisor._run.profile_run import profile_and_keep as run
        else:
            from sk_supervisor._run.execute import run_and_keep as run
        from sk_supervisor._system.allocator import keep_freed_memory
    finally:
        # Modules and models stay until the end: the collector has no business with them.
        gc.freeze()
        gc.enable()
    if not quiet:
        _warn_of_requests(loaded)
    _heed_static_secrets(loaded, quiet=quiet)
    keep_freed_memory()  # the process is the run's
    code = run(loaded, last, run_id=run_id, quiet=quiet)
    from sk_supervisor._plan.supervisors import INLINE, PROCESS_SUPERVISOR

    mode = loaded.runtime.platform.bootstrap.mode
    last.at_once |= mode == PROCESS_SUPERVISOR  # nothing of the application's has run here
    if mode == INLINE and not last.at_once:  # nodes ran in this process
        from sk_supervisor._system.threads import tell_left_behind

        tell_left_behind(sys.stderr)
    sys.exit(code)


@main.command()
@_configured
def check(config: str, overrides: tuple[str, ...]) -> None:
    """Check CONFIG: settings, graph, placement. Starts nothing."""
    from sk_supervisor._plan.preflight import unused_faults

    prepared = _prepared(config, overrides)
    nodes = _several(len(prepared.application.graph.nodes), "node")
    groups = _several(len({s.group for s in prepared.plan.segments}), "group")
    name = prepared.config.scenario.name
    click.echo(f"ok: {name}, {prepared.profile} profile, {nodes}, {groups}")
    from sk_config import cautions

    for caution in cautions(prepared.config):
        click.echo(f"warning: {caution}", err=True)
    for fault in unused_faults(prepared):
        click.echo(f"warning: over processes this would be refused: {fault}", err=True)


@main.command()
@_configured
def graph(config: str, overrides: tuple[str, ...]) -> None:
    """Print CONFIG's graph, with its groups, as a Mermaid flowchart."""
    from sk_supervisor._pages.mermaid import flowchart

    click.echo(flowchart(_prepared(config, overrides, check_adapters=False).plan), nl=False)


@main.command()
@_configured
@click.option("--trace", metavar="TRACE_ID", help="Replay the run up to the record with this id.")
@click.option("--run-id", help="The run that the trace is of; goes with --trace.")
@click.option("--input", "source", metavar="FILE", help="The source's path, if not as configured.")
@click.option("--dead-letter", "letters", metavar="PATH", help="Replay this file, or folder.")
@click.option("--output", metavar="FILE", help="Write what comes through: the sink's path.")
@click.option("--traceback", is_flag=True, help="Show all that the node of a letter has raised.")
@click.option("--write", is_flag=True, help="Write what comes through to the sink as configured.")
def replay(
    config: str,
    overrides: tuple[str, ...],
    trace: str | None,
    run_id: str | None,
    source: str | None,
    letters: str | None,
    output: str | None,
    traceback: bool,
    write: bool,
) -> None:
    """Run one record, or dead letters, of CONFIG once more, in this process.

    --trace prints the record's path, node by node, and writes nothing. --dead-letter runs each
    letter from its node on, with empty states, and writes nothing unless --output or --write is
    given; it ends with 1 where a letter fails again. What --traceback shows may hold payloads.
    """
    from sk_supervisor._replay import command as _replay

    if (trace is None) == (letters is None):
        raise click.UsageError("give either --trace or --dead-letter")
    if trace is not None and (run_id is None or output is not None or write or traceback):
        raise click.UsageError("--trace needs --run-id, writes nothing, and shows what was raised")
    if letters is not None and (run_id is not None or source is not None):
        raise click.UsageError("--run-id and --input go with --trace")
    paths = (("source", source), ("sink", output))
    overrides += tuple(_replay.setting_of(role, path) for role, path in paths if path is not None)
    writing = write or output is not None
    options = {
        "adapters.source.settings.path": "--input",
        "adapters.sink.settings.path": "--output",
    }
    prepared = _prepared(config, overrides, check_adapters=writing, options=options)
    if trace is not None:
        sys.exit(_replay.trace(prepared, run_id or "", trace))
    sys.exit(_replay.letters(prepared, letters or "", write=writing, tracebacks=traceback))


@main.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from sk_config import config_schema

    click.echo(json.dumps(config_schema(), indent=2))


def _several(count: int, what: str) -> str:
    return f"{count} {what}" + "s" * (count != 1)


def _prepared(
    path: str,
    overrides: tuple[str, ...],
    *,
    check_adapters: bool = True,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    from sk_supervisor._plan.preflight import prepare
    from sk_supervisor._run.summary import refusal
    from sk_supervisor.errors import RunRefusedError

    config = _load(path, overrides)
    try:
        return prepare(config, check_adapters=check_adapters)
    except RunRefusedError as error:
        click.echo(refusal(error, config), err=True)
        for fault in error.faults:
            if fault.category == "unknown_key" and fault.path in options:
                option = options[fault.path]
                click.echo(f"  {option} needs an adapter that has a setting 'path'", err=True)
        sys.exit(error.exit_code)
