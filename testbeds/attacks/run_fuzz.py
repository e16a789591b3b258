"""Run every fuzzer for a while, one after the other.

    python testbeds/attacks/run_fuzz.py [--seconds 60] [--corpus FOLDER]

What is interesting is kept in the corpus folder and used again; it is seeded with inputs that are
right. An input that breaks something is kept there too, and shown. Exit 0 when nothing was found, 1
when something was, 2 without atheris.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from attack_frames import Attacker
from insider_data import Insider, sealed
from sk_control import ControlMessage, Failed, Heartbeat, Hello, Progress, Ready, Stop, encode

HERE = Path(__file__).parent
NO_ATHERIS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="Fuzz the readers of foreign bytes.")
    parser.add_argument("--seconds", type=int, default=60, help="for each fuzzer")
    parser.add_argument("--corpus", type=Path, help="folder to keep what is interesting in")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        base = options.corpus or Path(folder)
        codes = [
            _run(name, seeds, base, options.seconds)
            for name, seeds in (("decoder", _frames()), ("control", _bodies()))
        ]
    if NO_ATHERIS in codes:
        return NO_ATHERIS
    return 1 if any(codes) else 0


def _run(name: str, seeds: Iterable[bytes], base: Path, seconds: int) -> int:
    corpus = base / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    sys.stdout.write(f"fuzzing {name} for {seconds} s\n")
    sys.stdout.flush()
    limits = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=1024"]
    limits.append(f"-artifact_prefix={base}{os.sep}{name}-")
    command = [sys.executable, str(HERE / f"fuzz_{name}.py"), str(corpus), *limits]
    return subprocess.run(command, check=False).returncode


def _frames() -> list[bytes]:
    insider, attacker = Insider(), Attacker()
    two = sealed(insider.signer()) + sealed(insider.signer())
    return [attacker.frame(), two, attacker.frame(payload=bytes(300)), attacker.frame(kind=3)]


def _bodies() -> list[bytes]:
    messages: list[ControlMessage] = [
        Hello((1, 2), "w", "g", 0, 1, 1),
        Ready(("partial",)),
        Heartbeat(Progress(1, 2, 3, "running", "line 4")),
        Stop(drain=True, reason="why"),
        Failed("crash", "node", "ValueError", "text"),
    ]
    return [bytes([kind]) + body for kind, body in map(encode, messages)]


if __name__ == "__main__":
    sys.exit(main())
