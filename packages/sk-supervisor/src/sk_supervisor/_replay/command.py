"""``sk replay``: dead letters, or one record of a run, once more, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterator
from typing import Final

import click
from sk_kernel import DeadLetterError, KernelError
from sk_kernel.runtime import ApplicationContext

from sk_supervisor._plan.preflight import Prepared
from sk_supervisor._replay.letters import replay_letters
from sk_supervisor._replay.path import replay_trace
from sk_supervisor._replay.show import show_letters, show_path
from sk_supervisor._run.summary import with_cause
from sk_supervisor._text.redaction import redactor_of
from sk_supervisor.errors import EXIT_DONE, EXIT_OPERATION, EXIT_WORKER, NoSuchTraceError

_TRACE, _LETTERS = "--trace", "--dead-letter"
#: What an option goes with, and why not with the other one.
_GOES_WITH: Final = {
    "--run-id": (_TRACE, "a dead letter has its own"),
    "--input": (_TRACE, "--dead-letter reads the file of letters alone"),
    "--output": (_LETTERS, "--trace writes nothing"),
    "--write": (_LETTERS, "--trace writes nothing"),
    "--traceback": (_LETTERS, "--trace shows what was raised in any case"),
}


def misuse(given: Container[str]) -> str:
    """Which rule these options break together, the first one; empty where they break none."""
    if (_TRACE in given) == (_LETTERS in given):
        return "give either --trace or --dead-letter"
    for option, (partner, why) in _GOES_WITH.items():
        if option in given and partner not in given:
            return f"{option} goes with {partner}: {why}"
    if _TRACE in given and "--run-id" not in given:
        return "--trace needs --run-id: the run that the record was in"
    return ""


def setting_of(adapter: str, path: str) -> str:
    """The override that gives ``source`` or ``sink`` another file."""
    return f"adapters.{adapter}.settings.path={json.dumps(path).replace('${', '$${')}"


def trace(prepared: Prepared, run_id: str, trace_id: str) -> int:
    """Print the path of the record with this trace id; the exit code."""
    try:
        path = replay_trace(prepared, run_id, trace_id)
    except NoSuchTraceError as error:
        return _said(error, EXIT_OPERATION, prepared)
    except KernelError as error:
        return _said(error, EXIT_WORKER, prepared)
    show_path(path, run_id, trace_id, sys.stdout)
    return EXIT_DONE


def letters(prepared: Prepared, path: str, *, write: bool, tracebacks: bool) -> int:
    """Replay a file, or folder, of dead letters; 0 where all have come through, else 1."""
    for line in _warning(prepared.application):
        click.echo(line, err=True)
    try:
        result = replay_letters(prepared, path, write=write, tracebacks=tracebacks)
    except DeadLetterError as error:
        return _said(error, EXIT_OPERATION, prepared)
    except KernelError as error:
        return _said(error, EXIT_WORKER, prepared)
    result.failures[:] = map(redactor_of(prepared.config), result.failures)
    show_letters(result, path, write=write, stream=sys.stdout)
    return EXIT_OPERATION if result.failed else EXIT_DONE


def _warning(application: ApplicationContext) -> Iterator[str]:
    """What a replay cannot know, since the records of the run before these are not run again."""
    for name, states in application.all_states.items():
        shown = ", ".join(state.__qualname__ for state in states)
        yield f"WARNING: the state of {name} is EMPTY at the start of a replay: {shown}"
    for name, node in application.graph.nodes.items():
        if node.finish is not None:
            yield f"WARNING: {name} does not finish in a replay"


def _said(error: KernelError, code: int, prepared: Prepared) -> int:
    click.echo(f"error: {redactor_of(prepared.config)(with_cause(error))}", err=True)
    return code
