"""The command ``sk replay``."""

from __future__ import annotations

import sys

import click

from sk_supervisor._run.configured import configured, prepared


@click.command()
@configured
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

    given = {"--trace": trace, "--run-id": run_id, "--input": source, "--dead-letter": letters}
    flags = {"--output": output, "--write": write or None, "--traceback": traceback or None}
    if wrong := _replay.misuse({name for name, v in {**given, **flags}.items() if v is not None}):
        raise click.UsageError(wrong)
    paths = (("source", source), ("sink", output))
    overrides += tuple(_replay.setting_of(role, path) for role, path in paths if path is not None)
    writing = write or output is not None
    options = {
        "adapters.source.settings.path": "--input",
        "adapters.sink.settings.path": "--output",
    }
    found = prepared(config, overrides, check_adapters=writing, options=options)
    if trace is not None:
        sys.exit(_replay.trace(found, run_id or "", trace))
    sys.exit(_replay.letters(found, letters or "", write=writing, tracebacks=traceback))
