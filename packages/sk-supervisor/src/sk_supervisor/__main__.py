"""The ``sk`` command, and ``python -m sk_supervisor``: it can be ended from its first line on."""

from __future__ import annotations

import os
import signal
import sys


def main() -> None:
    """Run it. Whatever ends it before it hears signals itself does so without a word."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # The first process of a container would not hear them at all.
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: os._exit(128 + number))
    try:
        from sk_supervisor.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
