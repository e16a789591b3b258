"""A file of letters is whole in its place, or is not there."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest
from sk_kernel import DeadLetterError, DeadLettersLeftError
from sk_kernel._letters import place
from sk_kernel._letters.lock import locked
from sk_kernel.runtime import staged_letters


def test_they_take_their_place_behind_the_block_and_each_is_a_line(tmp_path: Path) -> None:
    target = tmp_path / "dead"
    with staged_letters(str(target), behind_output=False) as letters:
        letters.add(b"one\n")
        letters.add(b"two")
        letters.stage()
        assert not target.exists()
    assert target.read_bytes() == b"one\ntwo\n"
    assert letters.count == 2
    assert [path.name for path in tmp_path.iterdir()] == ["dead"]


def test_behind_a_block_that_fails_nothing_is_left_of_them(tmp_path: Path) -> None:
    def fail() -> None:
        with staged_letters(str(tmp_path / "dead"), behind_output=True) as letters:
            letters.add(b"one\n")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert not list(tmp_path.iterdir())


def taken(target: Path, *, behind_output: bool) -> None:
    """Letters whose place is taken while they are written."""
    with staged_letters(str(target), behind_output=behind_output) as letters:
        letters.add(b"one\n")
        letters.stage()
        target.mkdir()


def test_behind_an_output_they_are_kept_where_their_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeadLettersLeftError) as caught:
        taken(tmp_path / "dead", behind_output=True)
    assert Path(caught.value.parts).read_bytes() == b"one\n"
    assert str(caught.value).endswith(
        f"the output is committed all the same, and the dead letters are in {caught.value.parts}"
    )


def test_without_an_output_nothing_is_left_where_their_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeadLetterError, match="it is no regular file"):
        taken(tmp_path / "dead", behind_output=False)
    assert [path.name for path in tmp_path.iterdir()] == ["dead"]


def test_a_folder_that_is_not_there_is_told_before_the_block(tmp_path: Path) -> None:
    place = tmp_path / "none" / "dead"
    opened = staged_letters(str(place), behind_output=False)
    with pytest.raises(DeadLetterError, match=f"cannot open {place}"), opened:
        pytest.fail("there is no place for them")


def test_of_a_link_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (link := tmp_path / "link").symlink_to(tmp_path / "file")
    with staged_letters(str(link), behind_output=False) as letters:
        letters.add(b"one\n")
        letters.stage()
    assert link.is_symlink()
    assert (tmp_path / "file").read_bytes() == b"one\n"


def put(target: Path, line: bytes) -> None:
    with staged_letters(str(target), behind_output=False) as letters:
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
    keep_former, flock = place.keep_former, fcntl.flock

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

    monkeypatch.setattr(place, "keep_former", keep)
    monkeypatch.setattr(fcntl, "flock", lock)
    put(target, b"first\n")
    second.join()
    assert target.read_bytes() == b"second\n"
    kept = {path.read_bytes() for path in tmp_path.iterdir() if path != target}
    assert kept == {b"old\n", b"first\n"}
    assert len(list(tmp_path.iterdir())) == 3  # and no lock


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
