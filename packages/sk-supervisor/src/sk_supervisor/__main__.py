"""The ``sk`` command and ``python -m sk_supervisor``; signals can end it before all is imported."""

from __future__ import annotations

import faulthandler
import signal
import sys

from sk_supervisor._system.last_code import LastCode
from sk_supervisor._system.platform import refusal
from sk_supervisor._system.streams import tolerant


def main() -> None:
    """Run the command. A signal before the run handles signals itself ends it without a message."""
    if refused := refusal("sk"):
        sys.stderr.write(f"error: {refused}\n")
        sys.exit(2)
    if not faulthandler.is_enabled():  # nodes of this process may crash in C
        faulthandler.enable(2, all_threads=False)
    last = LastCode()
    try:
        last.hold()
        # A failed write to standard error changes neither the output nor the exit code.
        sys.stderr = tolerant(sys.stderr)
        from sk_supervisor.cli import main as command

        command(obj=last)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT if last.code is None else last.code)
    finally:
        last.keep()


if __name__ == "__main__":
    main()
