"""Adjudicate a file of fund loads by the reference implementation.

    python reference.py --rules baseline|exp_mp --input FILE --output FILE
                        [--rejects FILE] [--reasons FILE]

Exit 0 when done; 2 with one line on standard error when a file cannot be read or written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from fundload_reference import RULE_SETS, Reason, adjudicate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except OSError as fault:
        sys.stderr.write(f"reference: {fault.filename}: {fault.strerror}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="The reference implementation of the fund-load rules."
    )
    parser.add_argument("--rules", required=True, choices=sorted(RULE_SETS))
    parser.add_argument("--input", required=True, type=Path, help="JSON lines to adjudicate")
    parser.add_argument("--output", required=True, type=Path, help="one decision per input line")
    parser.add_argument("--rejects", type=Path, help="one JSON line per unreadable input line")
    parser.add_argument("--reasons", type=Path, help="a JSON object of counts")
    return parser


def _run(options: argparse.Namespace) -> None:
    with ExitStack() as files:
        source = files.enter_context(options.input.open("rb"))
        output = files.enter_context(options.output.open("wb"))
        rejects = files.enter_context(options.rejects.open("wb")) if options.rejects else None
        reasons: Counter[Reason | None] = Counter()
        for outcome in adjudicate(source, RULE_SETS[options.rules]):
            output.write(outcome.output)
            if rejects is not None and outcome.reject is not None:
                rejects.write(outcome.reject)
            reasons[outcome.reason] += 1
    if options.reasons:
        options.reasons.write_text(json.dumps(counts(reasons), indent=2) + "\n", encoding="utf-8")


def counts(reasons: Counter[Reason | None]) -> dict[str, int]:
    """Name the counts: `accepted`, then every reason, those that never occurred with 0."""
    return {"accepted": reasons[None], **{reason.value: reasons[reason] for reason in Reason}}


if __name__ == "__main__":
    sys.exit(main())
