"""The work of the subcommands: a run, and writing generated input."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from sk_fundload.errors import MissingExtraError

if TYPE_CHECKING:
    from sk_config import Config


def run_config(
    config: Config,
    *,
    run_id: str | None,
    quiet: bool,
    stderr: TextIO,
    profile_run: bool = False,
) -> int:
    """Run a configuration and return the exit code.

    If sk-supervisor is installed it runs either profile, and measures the run with ``profile_run``.
    Otherwise the kernel runs the memory profile.

    :raises MissingExtraError: if the configuration needs sk-supervisor and it is not installed.
    """
    try:
        if profile_run:
            from sk_supervisor import run_profiled as run
        else:
            from sk_supervisor import run
    except ModuleNotFoundError as error:
        if error.name != "sk_supervisor":
            raise
        if profile_run:
            raise MissingExtraError("--profile-run", "multiprocess") from error
        from sk_fundload._alone import run_alone

        return run_alone(config, run_id=run_id, quiet=quiet, stderr=stderr)
    return run(config, run_id=run_id, quiet=quiet, stderr=stderr)


def generate_to(path: str, *, records: int, seed: int, dirty: bool) -> None:
    """Write generated input to ``path`` (or ``-``); a file is put in place when it is complete.

    :raises OutputError: if the output cannot be written; an existing file is unchanged.
    """
    from sk_fundload.adapters import open_target
    from sk_fundload.generator import generate

    target = open_target(path)
    try:
        for block in generate(records, seed, dirty=dirty):
            target.write(block)
        target.finish()
        target.commit()
    except BaseException:
        target.discard()
        raise
