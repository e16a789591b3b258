"""Entry point of ``sk-fundload`` and ``python -m sk_fundload``; handles signals from the start."""

from __future__ import annotations

import signal
import sys

from sk_fundload._platform import refusal


def main() -> None:
    """Run the command. A signal during the start ends it silently, with the signal's exit code."""
    if refused := refusal():
        sys.stderr.write(f"error: {refused}\n")
        sys.exit(2)
    from sk_fundload._last_code import LastCode

    last = LastCode()
    last.hold()
    try:
        from sk_fundload.cli import main as command

        command(prog_name="sk-fundload", obj=last)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT if last.code is None else last.code)


if __name__ == "__main__":
    main()
