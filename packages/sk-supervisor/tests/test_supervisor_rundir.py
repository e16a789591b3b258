"""The run directory and its entries: private, short enough, and swept."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._operate import rundir as rundir
from sk_supervisor._operate.client import choose
from sk_supervisor._operate.entries import (
    PATH_BYTES,
    AdminListener,
    Entry,
    RunInfo,
    entries,
    listens,
)
from sk_supervisor._system.peer_credentials import (
    may_administer,
    peer_uid,
    uid_of_ucred,
    uid_of_xucred,
)
from sk_supervisor.errors import NoSuchRunError, RunDirError, SeveralRunsError

INFO = RunInfo("r1", 1, "any", 1.0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private directory with a short path."""
    path = Path(tempfile.mkdtemp(prefix="sk-"))
    yield path
    shutil.rmtree(path)


def test_the_session_s_directory_is_taken_and_is_the_user_s_alone(folder: Path) -> None:
    path = rundir.made(environ={"XDG_RUNTIME_DIR": str(folder)})
    assert path == folder / "stream-kernel"
    assert path.stat().st_mode & 0o777 == 0o700
    assert rundir.made(environ={"XDG_RUNTIME_DIR": str(folder)}) == path


@pytest.mark.parametrize("session", ["", "relative", "/nowhere/at/all"])
def test_without_a_session_it_is_one_for_the_user_among_temporary_files(
    folder: Path, session: str
) -> None:
    path = rundir.made(environ={"XDG_RUNTIME_DIR": session, "TMPDIR": str(folder)})
    assert path == folder / f"stream-kernel-{os.geteuid()}"


def test_the_environment_names_another_and_a_caller_any(folder: Path) -> None:
    environ = {"SK_RUN_DIR": str(folder / "env"), "XDG_RUNTIME_DIR": str(folder)}
    assert rundir.made(environ=environ) == folder / "env"
    assert rundir.made(str(folder / "named"), environ) == folder / "named"


def test_a_run_is_looked_for_wherever_one_of_the_user_s_may_be(folder: Path) -> None:
    session, temporary = folder / "session", folder / "tmp"
    session.mkdir()
    temporary.mkdir()
    environ = {"XDG_RUNTIME_DIR": str(session), "TMPDIR": str(temporary)}
    service = rundir.made(environ={"TMPDIR": str(temporary)})
    login = rundir.made(environ=environ)
    assert rundir.existing(environ=environ)[:2] == [login, service]
    assert rundir.existing(str(login), environ) == [login]
    assert rundir.existing(str(folder / "none"), environ) == []


def test_a_stranger_s_directory_hides_no_run_of_ours_unless_it_was_named(folder: Path) -> None:
    """Whoever makes it first in ``/tmp``, as one that is open to others stands for."""
    session, temporary = folder / "session", folder / "tmp"
    session.mkdir()
    environ = {"XDG_RUNTIME_DIR": str(session), "TMPDIR": str(temporary)}
    stranger = temporary / f"stream-kernel-{os.geteuid()}"
    stranger.mkdir(parents=True)
    stranger.chmod(0o777)
    login = rundir.made(environ=environ)
    told: list[str] = []
    assert rundir.existing(environ=environ, warn=told.append)[:1] == [login]
    assert stranger not in rundir.existing(environ=environ)
    (line,) = told
    assert line.startswith(f"warning: not looked in: run directory {stranger}: its mode is 0777")
    for named, naming in ((str(stranger), {}), (None, {"SK_RUN_DIR": str(stranger)})):
        with pytest.raises(RunDirError, match="chmod 700"):
            rundir.existing(named, {**environ, **naming}, warn=told.append)
    assert len(told) == 1


def test_a_symbolic_link_is_refused(folder: Path) -> None:
    (folder / "real").mkdir(mode=0o700)
    (folder / "link").symlink_to(folder / "real")
    for look in (rundir.made, rundir.existing):
        with pytest.raises(RunDirError, match="symbolic link"):
            look(str(folder / "link"))


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770])
def test_a_directory_that_others_may_enter_is_refused_and_left_as_it_is(
    folder: Path, mode: int
) -> None:
    path = folder / "open"
    path.mkdir()
    path.chmod(mode)
    for look in (rundir.made, rundir.existing):
        with pytest.raises(RunDirError, match="name a directory for runs alone, of mode 0700"):
            look(str(path))
    assert path.stat().st_mode & 0o777 == mode


def test_a_file_is_refused(folder: Path) -> None:
    (folder / "file").touch(mode=0o600)
    with pytest.raises(RunDirError, match="is no directory"):
        rundir.made(str(folder / "file"))


def test_a_directory_of_another_user_is_refused(folder: Path) -> None:
    """The one below the root is the superuser's, whoever runs this; and who is that, steps down."""
    with _as_somebody(), pytest.raises(RunDirError, match="belongs to the user 0"):
        rundir.checked(Path("/usr"))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("a\0b", "a text that is no path"),
        ("\ud800", "a text that is no path"),  # a letter that no encoding has
        ("runs", "the working directory is gone"),
    ],
    ids=ascii,
)
def test_a_path_that_the_system_cannot_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, problem: str
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(RunDirError, match=problem):
        rundir.made(path)
    with pytest.raises(RunDirError, match=problem):
        rundir.existing(path)


def test_a_directory_whose_parent_is_missing_is_named_with_the_reason(folder: Path) -> None:
    with pytest.raises(RunDirError) as caught:
        rundir.made(str(folder / "no" / "where"))
    assert (caught.value.path, caught.value.problem) == (
        str(folder / "no" / "where"),
        "No such file or directory",
    )


def test_an_entry_is_a_socket_for_its_user_alone_and_goes_with_its_run(folder: Path) -> None:
    listener = AdminListener(folder, INFO)
    assert listener.path.stat().st_mode & 0o777 == 0o600
    assert listener.path.name.startswith("sk-r1-")
    assert entries(folder) == [Entry(listener.path, INFO)]
    listener.close()
    assert list(folder.iterdir()) == []


def test_runs_of_the_same_name_have_an_entry_each(folder: Path) -> None:
    listeners = [AdminListener(folder, INFO) for _ in range(3)]
    assert len(entries(folder)) == 3
    for listener in listeners:
        listener.close()


def _left_by_the_dead(folder: Path) -> None:
    """All that a run can leave that dies at some point of putting its entry in place, or later."""
    whole, halved = AdminListener(folder, INFO), AdminListener(folder, INFO)
    halved.path.unlink()
    for dead in (whole, halved):
        dead.socket.close()
    (folder / ".sk-00000000.new").touch()
    (folder / ".sk-11111111.new").write_bytes(msgspec.json.encode(INFO))
    with socket.socket(socket.AF_UNIX) as never_listened:
        never_listened.bind(str(folder / ".sk-22222222.new"))
    for path in folder.glob(".sk-*"):
        os.utime(path, (0, 0))


def test_a_new_run_sweeps_what_the_dead_left_and_nothing_of_the_living(folder: Path) -> None:
    _left_by_the_dead(folder)
    assert len([*folder.iterdir()]) == 6
    (newborn := folder / ".sk-33333333.new").touch()
    first = AdminListener(folder, RunInfo("r2", 2, "any", 2.0))
    second = AdminListener(folder, RunInfo("r3", 3, "any", 3.0))
    of_both = {p.with_suffix(s).name for p in (first.path, second.path) for s in (".sock", ".json")}
    assert {path.name for path in folder.iterdir()} == {newborn.name, *of_both}
    for listener in (first, second):
        listener.close()
    assert list(folder.iterdir()) == [newborn]


def test_a_look_finds_the_living_and_removes_nothing(folder: Path) -> None:
    living = AdminListener(folder, RunInfo("r2", 2, "any", 2.0))
    _left_by_the_dead(folder)
    before = {*folder.iterdir()}
    assert [entry.info.run_id for entry in entries(folder)] == ["r2"]
    assert {*folder.iterdir()} == before
    living.close()


#: What others may have, by name; some of it is named as ours, and differs in what it is.
_OTHERS = {
    "customers.json": b"{}",
    "sk-run.json": b"{}",
    ".pylintrc": b"x",
    ".coverage": b"",
    "notes.sock": b"x",
    "sk-r1-0123abcd.json": b'{"precious": 1}',
    "sk-r1-0123abcd.sock": b"x",
    ".sk-0123abcd.new": b"x",
    "my-sk-r1-0123abcd.json": msgspec.json.encode(INFO),
    "sk-r1-0123abcd.json.bak": msgspec.json.encode(INFO),
}


@pytest.mark.parametrize("name", _OTHERS)
def test_a_file_that_is_no_entry_is_left_alone(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(_OTHERS[name])
    os.utime(path, (0, 0))
    AdminListener(folder, INFO).close()
    assert path.read_bytes() == _OTHERS[name]


def test_a_socket_of_another_name_is_left_alone_though_nobody_listens(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(folder / "postgres.sock"))
    AdminListener(folder, INFO).close()
    assert [path.name for path in folder.iterdir()] == ["postgres.sock"]


def test_a_link_that_is_named_as_an_entry_is_left_alone_with_what_it_names(folder: Path) -> None:
    (mine := folder / "mine").write_bytes(msgspec.json.encode(INFO))
    (link := folder / "sk-r1-0123abcd.json").symlink_to(mine)
    AdminListener(folder, INFO).close()
    assert {*folder.iterdir()} == {mine, link}


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a file away")
def test_an_entry_of_another_user_is_left_alone(folder: Path) -> None:
    _left_by_the_dead(folder)
    left = {*folder.iterdir()}
    for path in left:
        os.chown(path, 65_534, -1)
    AdminListener(folder, INFO).close()
    assert {*folder.iterdir()} == left


def test_a_run_whose_description_was_cleaned_away_is_known_by_its_socket(folder: Path) -> None:
    listener = AdminListener(folder, RunInfo("a-b", 1, "any", 1.0))
    listener.path.with_suffix(".json").unlink()
    (found,) = entries(folder)
    assert (found.info.run_id, found.info.pid) == ("a-b", 0)
    listener.close()


@pytest.mark.parametrize("damaged", [b"{", b'{"run_id": "\xff"}', b'{"x": ' + b"[" * 5_000])
def test_a_run_whose_description_is_damaged_is_known_by_its_socket(
    folder: Path, damaged: bytes
) -> None:
    listener = AdminListener(folder, RunInfo("a-b", 1, "any", 1.0))
    listener.path.with_suffix(".json").write_bytes(damaged)
    (found,) = entries(folder)
    assert found.info.run_id == "a-b"
    listener.close()


@given(run_id=st.text(min_size=1, max_size=256))
def test_any_run_id_has_a_path_that_a_socket_can_have(run_id: str) -> None:
    with tempfile.TemporaryDirectory(prefix="sk-") as name:
        listener = AdminListener(
            Path(name), RunInfo(run_id.encode("utf-8", "replace").decode(), 1, "", 1.0)
        )
        assert len(os.fsencode(listener.path)) <= PATH_BYTES
        assert listener.path.parent == Path(name)
        assert listens(listener.path)
        listener.close()


def test_a_directory_whose_path_is_too_long_is_refused_with_what_would_do(folder: Path) -> None:
    deep = folder / ("d" * PATH_BYTES)
    deep.mkdir()
    with pytest.raises(RunDirError, match=r"too long for a socket: \d+ bytes"):
        AdminListener(deep, INFO)


def _entry(run_id: str, pid: int) -> Entry:
    return Entry(Path(run_id), RunInfo(run_id, pid, "any", 1.0))


@pytest.mark.parametrize(
    ("wanted", "pid"),
    [("ab", 1), ("abc", 2), ("abcd", 3), ("x", 4), ("3", 3)],
)
def test_a_run_is_named_by_its_id_its_pid_or_its_beginning(wanted: str, pid: int) -> None:
    found = [_entry("ab", 1), _entry("abc", 2), _entry("abcde", 3), _entry("xyz", 4)]
    assert choose(found, wanted, ()).info.pid == pid


def test_the_only_run_needs_no_name() -> None:
    assert choose([_entry("ab", 1)], None, ()).info.pid == 1


@pytest.mark.parametrize("wanted", [None, "a"])
def test_of_several_runs_one_must_be_named(wanted: str | None) -> None:
    with pytest.raises(SeveralRunsError) as caught:
        choose([_entry("ab", 1), _entry("abc", 2)], wanted, ())
    assert caught.value.run_ids == ("ab (pid 1)", "abc (pid 2)")


@pytest.mark.parametrize(("found", "wanted"), [([], None), ([_entry("ab", 1)], "b")])
def test_where_there_is_no_such_run_it_says_where_it_looked(
    found: list[Entry], wanted: str | None
) -> None:
    with pytest.raises(NoSuchRunError, match="searched: /run/sk"):
        choose(found, wanted, [Path("/run/sk")])


def test_the_kernel_tells_who_connects() -> None:
    here, there = socket.socketpair()
    with here, there:
        assert peer_uid(here) == os.geteuid()


@given(uid=st.integers(0, 2**32 - 1))
def test_the_user_is_read_from_what_either_system_gives(uid: int) -> None:
    assert uid_of_ucred(struct.pack("=iII", 7, uid, 8)) == uid
    assert uid_of_xucred(struct.pack("=II", 0, uid).ljust(76, b"\0")) == uid


@pytest.mark.parametrize("read", [uid_of_ucred, uid_of_xucred])
def test_credentials_that_are_cut_short_are_nobody_s(read) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(OSError, match="cut short"):
        read(b"\0\0\0")


@given(uid=st.integers(1, 2**32 - 1), owner=st.integers(0, 2**32 - 1))
def test_a_run_is_its_owner_s_and_the_superuser_s(uid: int, owner: int) -> None:
    assert may_administer(owner, owner)
    assert may_administer(0, owner)
    assert may_administer(uid, owner) == (uid == owner)


@contextlib.contextmanager
def _as_somebody() -> Iterator[None]:
    before = os.geteuid()
    if before == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(before)
