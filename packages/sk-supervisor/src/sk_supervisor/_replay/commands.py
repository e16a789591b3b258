"""The command ``sk replay``."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Final

import click

from sk_supervisor._run.configured import configured, prepared
from sk_supervisor.errors import EXIT_CONFIGURATION

#: What stands for settings of adapters.
_PATHS: Final = MappingProxyType(
    {"adapters.source.settings.path": "--input", "adapters.sink.settings.path": "--output"}
)
_SHOWN: Final = 20


@click.command()
@configured
@click.option("--trace", metavar="TRACE_ID", help="Replay the run up to the record with this id.")
@click.option("--record", metavar="N", type=click.IntRange(1), help="Likewise, by its number.")
@click.option("--run-id", help="The run that it was in; --record does without.")
@click.option("--input", "source", metavar="FILE", help="The source's path, if not as configured.")
@click.option("--dead-letter", "letters", metavar="PATH", help="Replay this file, or folder.")
@click.option("--output", metavar="FILE", help="Write what comes through, and there only.")
@click.option("--write", is_flag=True, help="Write what comes through to the sink as configured.")
@click.option("--remaining", metavar="FILE", help="Write the letters that fail again there.")
@click.option("--traceback", is_flag=True, help="Show all that the node of a letter has raised.")
@click.option("--show", is_flag=True, help="Show the letters with their payloads; run nothing.")
@click.option("--limit", type=click.IntRange(1), help=f"Letters to show at most, else {_SHOWN}.")
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
) -> None:
    """Run one record, or dead letters, of CONFIG once more, in this process.

    --trace and --record print the record's path, node by node, and write nothing. They read the
    source as configured: one that binds a port or takes from a queue needs a --set for another.
    --dead-letter runs each letter from its node on, with empty states, and writes nothing unless
    --output or --write is given; it ends with 1 where a letter fails again, or is held by a node
    that does not finish. What fails again goes to the file --remaining, for the next replay; of
    what is written in part only the rest does. --output is the sink's path; where the sink, or a
    service that it uses, has other settings that may say where it writes, it needs a --set for
    each, or --write, too. What --traceback and --show print may hold payloads.
    """
    from sk_supervisor._replay import command as _replay
    from sk_supervisor._replay.letters import LetterOptions

    options = {
        "--trace": trace,
        "--record": record,
        "--run-id": run_id,
        "--input": source,
        "--dead-letter": letters,
        "--output": output,
        "--write": write or None,
        "--remaining": remaining,
        "--traceback": traceback or None,
        "--show": show or None,
        "--limit": limit,
    }
    if wrong := _replay.misuse({name for name, value in options.items() if value is not None}):
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
    how = LetterOptions(writing, traceback, most, remaining)
    sys.exit(_replay.letters(found, letters, how))
