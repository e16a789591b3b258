"""A file of letters is whole in its place, or is not there."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sk_kernel import DeadLetterError, DeadLettersLeftError
from sk_kernel._letters import lock
from sk_kernel._letters import target as letters_target
from sk_kernel._letters.lock import locked
from sk_kernel.runtime import staged_letters


def test_they_take_their_place_behind_the_block_and_each_is_a_line(tmp_path: Path) -> None:
    target = tmp_path / "dead"
    with staged_letters(str(target), after_output=False) as letters:
        letters.add(b"one\n")
        letters.add(b"two")
        letters.stage()
        assert not target.exists()
    assert target.read_bytes() == b"one\ntwo\n"
    assert letters.count == 2
    assert [path.name for path in tmp_path.iterdir()] == ["dead"]


def test_behind_a_block_that_fails_nothing_is_left_of_them(tmp_path: Path) -> None:
    def fail() -> None:
        with staged_letters(str(tmp_path / "dead"), after_output=True) as letters:
            letters.add(b"one\n")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert not list(tmp_path.iterdir())


def taken(target: Path, *, after_output: bool) -> None:
    """Letters whose place is taken while they are written."""
    with staged_letters(str(target), after_output=after_output) as letters:
        letters.add(b"one\n")
        letters.stage()
        target.mkdir()


def test_behind_an_output_they_are_kept_where_their_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeadLettersLeftError) as caught:
        taken(tmp_path / "dead", after_output=True)
    assert Path(caught.value.parts).read_bytes() == b"one\n"
    assert str(caught.value).endswith(
        f"the output is committed all the same, and the dead letters are in {caught.value.parts}"
    )


def test_without_an_output_nothing_is_left_where_their_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeadLetterError, match="it is no regular file"):
        taken(tmp_path / "dead", after_output=False)
    assert [path.name for path in tmp_path.iterdir()] == ["dead"]


def test_a_folder_that_is_not_there_is_told_before_the_block(tmp_path: Path) -> None:
    place = tmp_path / "none" / "dead"
    opened = staged_letters(str(place), after_output=False)
    with pytest.raises(DeadLetterError, match=f"cannot open {place}"), opened:
        pytest.fail("there is no place for them")


def test_of_a_link_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(tmp_path / "file")
    with staged_letters(str(link), after_output=False) as letters:
        letters.add(b"one\n")
        letters.stage()
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"one\n"


def put(target: Path, line: bytes, *, after_output: bool = False) -> None:
    with staged_letters(str(target), after_output=after_output) as letters:
        letters.add(line)
        letters.stage()


def test_of_runs_that_end_at_the_same_time_no_letters_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes when the first has kept the former letters, and has not replaced them."""
    target = tmp_path / "dead"
    target.write_bytes(b"old\n")
    second = threading.Thread(target=put, args=(target, b"second\n"))
    has_come = threading.Event()
    keep_former, flock = letters_target.keep_former, fcntl.flock

    def keep(former: str, successor: str) -> None:
        keep_former(former, successor)
        if threading.current_thread() is second:
            has_come.set()
        else:
            second.start()
            assert has_come.wait(60)

    def lock(descriptor: int, how: int) -> None:
        if threading.current_thread() is second:
            has_come.set()
        flock(descriptor, how)

    monkeypatch.setattr(letters_target, "keep_former", keep)
    monkeypatch.setattr(fcntl, "flock", lock)
    put(target, b"first\n")
    second.join()
    assert target.read_bytes() == b"second\n"
    kept = {path.read_bytes() for path in tmp_path.iterdir() if path != target}
    assert kept == {b"old\n", b"first\n"}
    assert len(list(tmp_path.iterdir())) == 3  # and no lock


def test_one_that_waited_for_the_lock_holds_the_one_that_others_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it waited for was removed by the one before it."""
    target = str(tmp_path / "dead")
    flock, waits = fcntl.flock, threading.Event()
    refused: list[BaseException] = []

    def lock(descriptor: int, how: int) -> None:
        if threading.current_thread() is second:
            waits.set()
        flock(descriptor, how)

    def hold() -> None:
        with locked(target):
            try:
                with open(f"{target}%lock", "rb+") as found:
                    flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                refused.append(error)

    second = threading.Thread(target=hold)
    monkeypatch.setattr(fcntl, "flock", lock)
    with locked(target):
        second.start()
        assert waits.wait(60)
    second.join()
    assert [type(error) for error in refused] == [BlockingIOError]


def test_a_lock_file_that_a_process_of_another_user_has_left_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)  # another user cannot come there by the path
    left = Path("dead%lock")
    left.touch(mode=0o444)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may write every file
    try:
        with locked("dead"):
            assert left.exists()
    finally:
        os.seteuid(user)
    assert not left.exists()


_HOLD = """
import fcntl, sys
with open(sys.argv[1], "w") as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(target: Path) -> Iterator[Callable[[], object]]:
    """A second process has the lock of these letters, until what is yielded is called."""
    command = [sys.executable, "-c", _HOLD, f"{target}%lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None  # behind the block it is closed, which ends the process
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder.stdin.close


def test_a_lock_that_another_process_keeps_is_waited_for_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.05)
    target = tmp_path / "dead"
    target.write_bytes(b"old\n")
    with held_elsewhere(target), pytest.raises(DeadLettersLeftError) as caught:
        put(target, b"one\n", after_output=True)
    error = caught.value
    assert (error.action, error.what) == ("lock", f"{target}%lock")
    assert error.problem == (
        "it was not free within 0.05 s: a run or a replay with the same file of dead letters holds"
        f" it, and hangs or is suspended. End that process (fuser {target}%lock prints its id)"
    )
    assert Path(error.parts).read_bytes() == b"one\n"
    assert target.read_bytes() == b"old\n"


def test_a_lock_is_free_again_behind_a_wait_that_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "dead"
    with monkeypatch.context() as short, held_elsewhere(target):
        short.setattr(lock, "LOCK_SECONDS", 0.05)
        with pytest.raises(DeadLetterError, match="it was not free"):
            put(target, b"one\n")
    put(target, b"two\n")
    assert target.read_bytes() == b"two\n"


def test_a_lock_that_another_process_lets_go_in_time_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lets go when somebody waits for it, and not before."""
    target = tmp_path / "dead"
    with held_elsewhere(target) as let_go:
        flock = fcntl.flock

        def lock_and_end(descriptor: int, how: int) -> None:
            if not how & fcntl.LOCK_NB:
                let_go()
            flock(descriptor, how)

        monkeypatch.setattr(fcntl, "flock", lock_and_end)
        put(target, b"one\n")
    assert target.read_bytes() == b"one\n"


class SignalledError(Exception):
    """What a handler raises."""


def test_a_wait_for_a_lock_ends_where_a_signal_handler_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, handled = tmp_path / "dead", threading.Event()
    flock = fcntl.flock

    def signal_and_lock(descriptor: int, how: int) -> None:
        # Again and again: one that comes just before the main thread waits does not end the wait.
        while not (how & fcntl.LOCK_NB or handled.wait(0.01)):
            os.kill(os.getpid(), signal.SIGUSR1)
        flock(descriptor, how)

    def handle(number: int, _: object) -> None:
        if not handled.is_set():
            handled.set()
            raise SignalledError

    monkeypatch.setattr(fcntl, "flock", signal_and_lock)
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with held_elsewhere(target), pytest.raises(SignalledError):
            put(target, b"one\n")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not target.exists()
