"""The command ``sk replay``."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Final

import click
from click.core import ParameterSource

from sk_supervisor._run.configured import configured, prepared
from sk_supervisor.errors import EXIT_CONFIGURATION

#: The options that set these settings of adapters.
_PATHS: Final = MappingProxyType(
    {"adapters.source.settings.path": "--input", "adapters.sink.settings.path": "--output"}
)
_SHOWN: Final = 20

_INPUT: Final = "Read this file: overrides the source's setting `path`."
_OUTPUT: Final = "Write the results to FILE: overrides the sink's setting `path`."
_WRITE: Final = "Write the results to the configured sink. May replace the output of the run."
_REMAINING: Final = "Write the dead letters that fail again to FILE."
_SHOW: Final = "Print the dead letters with their payloads; run nothing."
_QUIET: Final = "Print no warnings about states and finish()."
_LIMIT: Final = f"Maximum number of dead letters to print (default: {_SHOWN})."


@click.command()
@configured
@click.option("--trace", metavar="ID", help="Replay the run up to the record with this id.")
@click.option(
    "--record",
    metavar="N",
    type=click.IntRange(1),
    help="Replay the run up to the record with this number.",
)
@click.option("--run-id", metavar="ID", help="Id of the original run (required with --trace).")
@click.option("--input", "source", metavar="FILE", help=_INPUT)
@click.option("--dead-letter", "letters", metavar="PATH", help="Replay this file or folder.")
@click.option("--output", metavar="FILE", help=_OUTPUT)
@click.option("--write", is_flag=True, help=_WRITE)
@click.option("--remaining", metavar="FILE", help=_REMAINING)
@click.option("--traceback", is_flag=True, help="Print full tracebacks (may contain payloads).")
@click.option("--show", is_flag=True, help=_SHOW)
@click.option("--limit", metavar="N", type=click.IntRange(1), help=_LIMIT)
@click.option("--quiet", is_flag=True, help=_QUIET)
def replay(
    config: str,
    overrides: tuple[str, ...],
    trace: str | None,
    record: int | None,
    run_id: str | None,
    source: str | None,
    letters: str | None,
    output: str | None,
    write: bool,
    remaining: str | None,
    traceback: bool,
    show: bool,
    limit: int | None,
    quiet: bool,
) -> None:
    """Replay one record, or a file of dead letters, in this process.

    \b
    One record:    sk replay CONFIG --record N
                   sk replay CONFIG --trace ID --run-id RUN
                   Prints the record's path through the nodes. Writes nothing.
    Dead letters:  sk replay CONFIG --dead-letter PATH
                   Runs each dead letter from the node that failed, with empty states.
                   Writes results only with --output or --write.

    The source is opened as configured. If it binds a port or takes from a queue, replace it with
    --set. With --output, give each other setting of the sink (or of a service that it uses) that
    may name a place to write to with --set, or use --write. If the results of a dead letter were
    written in part, --remaining gets only the rest of it.

    Exits with 1 if a dead letter failed again or was held by a node with finish(), or if there is
    no such record.
    """
    from sk_supervisor._replay import command as _replay
    from sk_supervisor._replay.letters import LetterOptions

    if wrong := _replay.misuse(_given(click.get_current_context())):
        raise click.UsageError(wrong)
    paths = (("source", source), ("sink", output))
    overrides += tuple(_replay.setting_of(role, path) for role, path in paths if path is not None)
    writing = write or output is not None
    found = prepared(config, overrides, run_checks=writing, options=_PATHS)
    if output is not None and not write and (why := _replay.written_besides(found, overrides)):
        click.echo(f"error: {why}", err=True)
        sys.exit(EXIT_CONFIGURATION)
    if letters is None:
        sys.exit(_replay.one_record(found, record or trace or "", run_id))
    most = limit or _SHOWN
    if show:
        sys.exit(_replay.payloads(found, letters, most))
    how = LetterOptions(writing, traceback, limit=most, remaining=remaining, quiet=quiet)
    sys.exit(_replay.letters(found, letters, how))


def _given(context: click.Context) -> set[str]:
    """Return the options that the command line has, by their first names."""
    return {
        option.opts[0]
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
    }
