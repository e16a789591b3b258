"""``sk top``, without a terminal and on one."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess

import pytest
from supervisor_harness import PATIENCE, Command, sk_words
from supervisor_runs import Runs


def test_top_without_a_terminal_prints_one_table_below_the_other_until_the_end(runs: Runs) -> None:
    runs.waiting()
    top = Command(["top", "--interval", "0.1"], environment={"SK_RUN_DIR": str(runs.folder)})
    try:
        assert top.process.stdout is not None
        seen = 0
        while seen < 3:
            seen += top.process.stdout.readline().startswith("worker")
        assert runs.ask("stop")[0] == 0
        code, out, err = top.finish()
        assert (code, err) == (0, "")
        assert out.splitlines()[-1] == "run r1 has ended"
    finally:
        top.end()


@pytest.mark.parametrize("end", ["run", "key"])
def test_top_on_a_terminal_draws_in_place_until_the_run_ends_or_a_key_does(
    runs: Runs, end: str
) -> None:
    run = runs.waiting()
    reader, writer = pty.openpty()
    environment = {**os.environ, "SK_RUN_DIR": str(runs.folder), "TERM": "xterm", "COLUMNS": "80"}
    top = subprocess.Popen(
        sk_words("top", "--interval", "0.1"),
        stdin=writer,
        stdout=writer,
        stderr=writer,
        env=environment,
        start_new_session=True,
    )
    os.close(writer)
    try:
        drawn = b""
        while drawn.count(b"restarts") < 4:
            drawn += os.read(reader, 65_536)
        assert b"\x1b[" in drawn
        assert b"mid-0.1" in drawn
        if end == "run":
            assert runs.ask("stop")[0] == 0
        else:
            top.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # Linux's way to say that nobody writes any more
            while data := os.read(reader, 65_536):
                drawn += data
        assert top.wait(PATIENCE) == 0
        assert (b"run r1 has ended" in drawn) == (end == "run")
        assert b"Traceback" not in drawn
        if end == "run":
            assert run.command.finish()[0] == 143
        else:
            assert run.command.process.poll() is None
    finally:
        top.kill()
        top.wait()
        os.close(reader)
