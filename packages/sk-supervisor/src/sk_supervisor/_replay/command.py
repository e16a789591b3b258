"""``sk replay``: replaying dead letters, or one record of a run, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterable, Iterator
from typing import Final

import click
from sk_kernel import DeadLetterError, DeadLettersLeftError, KernelError
from sk_kernel.runtime import ApplicationContext

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._plan.run_id import new_run_id
from sk_supervisor._replay.letters import LetterOptions, replay_letters
from sk_supervisor._replay.output import Configured, other_places
from sk_supervisor._replay.path import replay_record
from sk_supervisor._replay.payloads import show_payloads
from sk_supervisor._replay.show import show_letters, show_path
from sk_supervisor._run.summary import with_cause
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import (
    EXIT_DONE,
    EXIT_OPERATION,
    EXIT_WORKER,
    NoSuchRecordError,
    NoSuchTraceError,
)

_ONE_RECORD: Final = ("--trace", "--record")
_LETTERS: Final = "--dead-letter"
_NOTHING = "{} writes nothing"
#: The options that each option requires one of, and why it cannot be used with another ({}).
_GOES_WITH: Final = {
    "--run-id": (_ONE_RECORD, "a dead letter has its own"),
    "--input": (_ONE_RECORD, "--dead-letter reads the file of letters alone"),
    "--output": ((_LETTERS,), _NOTHING),
    "--write": ((_LETTERS,), _NOTHING),
    "--remaining": ((_LETTERS,), "{} runs no letters"),
    "--limit": ((_LETTERS,), "{} shows one record"),
    "--show": ((_LETTERS,), "{} shows payloads in any case"),
    "--traceback": ((_LETTERS,), "{} shows what was raised in any case"),
    "--quiet": ((_LETTERS,), "{} prints no warnings"),
}
#: The options that need nodes to run, which ``--show`` does not do.
_RUNS: Final = ("--output", "--write", "--remaining", "--traceback", "--quiet")


def misuse(given: Container[str]) -> str:
    """The first rule that this combination of options breaks; empty if it breaks none."""
    chosen = [option for option in (*_ONE_RECORD, _LETTERS) if option in given]
    if len(chosen) != 1:
        return "give one of --trace, --record and --dead-letter"
    for option, (partners, why) in _GOES_WITH.items():
        if option in given and chosen[0] not in partners:
            return f"{option} goes with {' or '.join(partners)}: {why.format(chosen[0])}"
    if "--trace" in given and "--run-id" not in given:
        return "--trace needs --run-id: the run that the record was in"
    ran = [option for option in _RUNS if option in given]
    if ran and "--show" in given:
        return f"{ran[0]} does not go with --show, which runs nothing"
    return ""


def setting_of(adapter: str, path: str) -> str:
    """The override that sets the path of ``source`` or ``sink``."""
    return f"adapters.{adapter}.settings.path={json.dumps(path).replace('${', '$${')}"


def written_besides(prepared: Prepared, overrides: Iterable[str]) -> str:
    """Why a replay with ``--output`` might write to other places, too; empty if it cannot."""
    others = other_places(_writing(prepared.application), overrides)
    if not others:
        return ""
    given = "".join(f"\n  --set {name}=VALUE" for name in others)
    return (
        "--output sets the sink's `path` alone, and these may say where it writes, too; give a"
        f" value for each:{given}\n  or give --write, too: the sink then writes to all but its path"
        " as configured, and may replace what is there"
    )


def _writing(application: ApplicationContext) -> Iterator[Configured]:
    """What may write in place of the sink: the sink, whose path is set, and its services."""
    spec, sink = application.spec, application.graph.sink
    if spec.sink is not None:
        where = ("adapters", "sink", "settings")
        yield Configured(where, spec.sink.settings, sink.settings_model, frozenset({"path"}))
    for name, service in application.services_of(sink).items():
        settings = spec.services.get(name, {})
        yield Configured(("services", name), settings, service.settings_model)


def one_record(prepared: Prepared, wanted: str | int, run_id: str | None) -> int:
    """Print the path of the record with this trace id or number, and return the exit code.

    Without ``run_id`` a new run id is used.
    """
    try:
        path = replay_record(prepared, run_id or new_run_id(), wanted)
    except (NoSuchTraceError, NoSuchRecordError) as error:
        return _said(error, EXIT_OPERATION, prepared)
    except KernelError as error:
        return _said(error, EXIT_WORKER, prepared)
    title = f"record {path.sequence}"
    if run_id is not None:
        trace_id = path.trace_id if isinstance(wanted, int) else wanted
        title += f" of run {run_id}, trace {trace_id}"
    show_path(path, title, sys.stdout)
    return EXIT_DONE


def letters(prepared: Prepared, path: str, how: LetterOptions) -> int:
    """Replay a file, or folder, of dead letters, and return the exit code.

    It is 0 if all succeeded and 1 if some failed or are held by a node with ``finish()``. An error
    that ends the replay has its own.
    """
    if not how.quiet:
        for line in _warnings(prepared.application):
            click.echo(f"warning: {line}", err=True)
    try:
        result = replay_letters(prepared, path, how)
    except DeadLettersLeftError as error:
        return _said(error, EXIT_WORKER, prepared)
    except DeadLetterError as error:
        return _said(error, EXIT_OPERATION, prepared)
    except KernelError as error:
        return _said(error, EXIT_WORKER, prepared)
    result.failures[:] = map(redactor_of(prepared.config), result.failures)
    show_letters(result, path, how, sys.stdout)
    return EXIT_OPERATION if result.failed or result.held else EXIT_DONE


def payloads(prepared: Prepared, path: str, limit: int) -> int:
    """Print dead letters with their payloads; return 1 if one of them cannot be read."""
    try:
        is_whole = show_payloads(prepared.application.graph, path, limit, sys.stdout)
    except DeadLetterError as error:
        return _said(error, EXIT_OPERATION, prepared)
    return EXIT_DONE if is_whole else EXIT_OPERATION


def _warnings(application: ApplicationContext) -> Iterator[str]:
    """Yield a warning about the states, which are empty in a replay, and one about `finish()`."""
    states = [
        f"{name} ({', '.join(state.__qualname__ for state in states)})"
        for name, states in application.all_states.items()
    ]
    if states:
        yield f"states are empty at the start of a replay: {', '.join(states)}"
    finishing = [name for name, node in application.graph.nodes.items() if node.finish is not None]
    if finishing:
        lost = "what these nodes would emit then is in no output"
        yield f"finish() is not called in a replay; {lost}: {', '.join(finishing)}"


def _said(error: KernelError, code: int, prepared: Prepared) -> int:
    click.echo(f"error: {redactor_of(prepared.config)(with_cause(error))}", err=True)
    return code
