"""What signing and verifying costs: its share of a run over four processes (P10, 4 % at most).

    python testbeds/attacks/bench_signing.py [--frames 2000] [--run RECORDS] [--rounds 3]

The first table times frames of 25 KB, as batches are, sealed and verified, with the HMAC and with
one that does nothing. With `--run` the whole workload is run over four processes in both ways,
alternating, and the share is that of the medians. The HMAC is off in this program only, and in the
processes that it starts: through a module on their path, which nothing else has.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sk_transport import (
    Channel,
    FrameDecoder,
    FrameKind,
    FrameLimits,
    Secret,
    SequenceGuard,
    Signer,
    Verifier,
)

UNSIGNED = Path(__file__).parent / "unsigned"
sys.path.insert(0, str(UNSIGNED))

from no_mac import take_off  # noqa: E402 - importable from here on

PAYLOAD_BYTES = 25_000
RECORDS_PER_FRAME = 300
# A batch is sealed and verified at each of the three borders of four processes.
BORDERS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="Time signing and verifying.")
    parser.add_argument("--frames", type=int, default=2_000, help="frames of 25 KB to time")
    parser.add_argument("--run", type=int, metavar="RECORDS", help="run the workload too")
    parser.add_argument("--rounds", type=int, default=3, help="runs in each of the two ways")
    options = parser.parse_args(arguments)
    sys.stdout.write(frames_table(options.frames))
    if options.run:
        sys.stdout.write(run_table(options.run, options.rounds))
    return 0


def frames_table(count: int) -> str:
    """Microseconds for a frame, with and without the HMAC, and what that is for a record."""
    signed, bare = _frame_costs(count), _frame_costs(count, off=True)
    lines = [f"{PAYLOAD_BYTES} B a frame, us      with HMAC   without   its cost\n"]
    for what, one, other in zip(("seal", "verify"), signed, bare, strict=True):
        lines.append(f"{what:<24} {one:9.2f} {other:9.2f} {one - other:10.2f}\n")
    cost = BORDERS * (sum(signed) - sum(bare)) / RECORDS_PER_FRAME
    lines.append(f"a record, {BORDERS} borders, {RECORDS_PER_FRAME} in a frame: {cost:.3f} us\n")
    return "".join(lines)


def _frame_costs(count: int, *, off: bool = False) -> tuple[float, float]:
    channel, key, limits = Channel("bench", "a", "b"), Secret.generate(), FrameLimits()
    signer = Signer(channel, key, limits=limits)
    verifier = Verifier(channel, key, ttl_seconds=3600, guard=SequenceGuard())
    if off:
        take_off(signer)
        take_off(verifier)
    payload, header = os.urandom(PAYLOAD_BYTES), bytes(120)
    raws = [b"".join(signer.seal(FrameKind.BATCH, header, payload)) for _ in range(count)]
    frames = [frame for raw in raws for frame in FrameDecoder(limits).feed(raw)]
    seal = _microseconds(count, lambda _: signer.seal(FrameKind.BATCH, header, payload))
    return seal, _microseconds(count, lambda number: verifier.verify(frames[number]))


def _microseconds(count: int, call: Callable[[int], object]) -> float:
    began = time.perf_counter()
    for number in range(count):
        call(number)
    return (time.perf_counter() - began) / count * 1e6


def run_table(records: int, rounds: int) -> str:
    """Seconds of the workload over four processes, signed and not, and the share."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="signing-") as folder:
        source = Path(folder) / "input"
        generate = ["generate", "--records", str(records), "--seed", "1", "--output", str(source)]
        _fundload(generate, dict(os.environ))
        for number in range(2 * rounds):
            signed = number % 2 == 0
            times[signed].append(_timed_run(source, signed=signed))
    on, off = (statistics.median(times[signed]) for signed in (True, False))
    share = (on - off) / on
    return (
        f"{records} records over four processes, {rounds} rounds, medians\n"
        f"signed {on:.2f} s, unsigned {off:.2f} s: share {share:.1%} (P10: 4 % at most)\n"
    )


def _timed_run(source: Path, *, signed: bool) -> float:
    env = dict(os.environ)
    if not signed:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(UNSIGNED), env.get("PYTHONPATH"))))
    options = ["run", "--rules", "exp_mp", "--profile", "multiprocess", "--quiet"]
    began = time.perf_counter()
    _fundload([*options, "--input", str(source), "--output", os.devnull], env)
    return time.perf_counter() - began


def _fundload(arguments: Sequence[str], env: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "sk_fundload", *arguments], check=True, env=env)


if __name__ == "__main__":
    sys.exit(main())
