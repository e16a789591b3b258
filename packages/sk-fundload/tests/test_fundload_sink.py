"""The sink: output that is put in place whole, or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from sk_fundload.adapters import OutputSettings, OutputSink, is_same_file, is_same_output
from sk_fundload.errors import BrokenOutputError, OutputError
from sk_fundload.messages import OutputLine
from sk_kernel import CheckError

LINES = [
    OutputLine("yes\n", ""),
    OutputLine("no\n", "DAILY_AMOUNT_LIMIT"),
    OutputLine("what\n", "INPUT_PARSE_ERROR", "reject\n"),
]


def sink_of(
    output: Path | str, rejects: Path | str | None = None, *, durable: bool = False
) -> OutputSink:
    other = None if rejects is None else str(rejects)
    return OutputSink(OutputSettings(path=str(output), rejects=other, durable=durable))


def written(sink: OutputSink, batches: int = 2) -> OutputSink:
    sink.open()
    for _ in range(batches):
        sink.write(sink.encode(LINES))
    return sink


@pytest.mark.parametrize("durable", [False, True])
def test_a_complete_run_puts_both_files_in_place(tmp_path: Path, durable: bool) -> None:
    output, rejects = tmp_path / "out", tmp_path / "rejects"
    output.write_text("old")
    sink = written(sink_of(output, rejects, durable=durable))
    assert output.read_text() == "old"
    assert not rejects.exists()
    sink.commit()
    assert output.read_text() == "yes\nno\nwhat\n" * 2
    assert rejects.read_text() == "reject\n" * 2
    assert sink.partial_outputs() == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "rejects"]


def test_a_run_without_output_leaves_an_empty_file(tmp_path: Path) -> None:
    sink = written(sink_of(tmp_path / "out"), batches=0)
    sink.commit()
    assert (tmp_path / "out").read_bytes() == b""


def test_a_run_that_does_not_commit_leaves_the_old_files_and_names_the_partial_ones(
    tmp_path: Path,
) -> None:
    output, rejects = tmp_path / "out", tmp_path / "rejects"
    output.write_text("old")
    sink = sink_of(output, rejects)
    assert sink.partial_outputs() == ()
    written(sink).abort()
    assert output.read_text() == "old"
    assert not rejects.exists()
    partial = [Path(path) for path in sink.partial_outputs()]
    assert [path.read_text() for path in partial] == ["yes\nno\nwhat\n" * 2, "reject\n" * 2]
    assert [path.parent for path in partial] == [tmp_path, tmp_path]
    assert all(path.name.endswith(".partial") for path in partial)


def test_what_is_written_is_in_the_partial_file_at_once(tmp_path: Path) -> None:
    sink = written(sink_of(tmp_path / "out"), batches=1)
    assert Path(sink.partial_outputs()[0]).read_text() == "yes\nno\nwhat\n"
    sink.abort()


def test_two_runs_with_one_target_do_not_mix(tmp_path: Path) -> None:
    first, second = (written(sink_of(tmp_path / "out"), n) for n in (1, 2))
    assert first.partial_outputs() != second.partial_outputs()
    second.commit()
    first.commit()
    assert (tmp_path / "out").read_text() == "yes\nno\nwhat\n"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    output = tmp_path / "out"
    output.touch()
    output.chmod(mode)
    written(sink_of(output)).commit()
    assert stat.S_IMODE(output.stat().st_mode) == mode


def test_a_new_file_has_the_mode_that_new_files_have(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    written(sink_of(tmp_path / "out")).commit()
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_through_a_link_the_file_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "out", tmp_path / "link"
    link.symlink_to(target)
    for _ in range(2):  # to a file that does not exist yet, and to one that does
        written(sink_of(link)).commit()
        assert link.is_symlink()
        assert target.read_text() == "yes\nno\nwhat\n" * 2


def test_a_long_name_has_room_for_its_partial_file(tmp_path: Path) -> None:
    output = tmp_path / ("n" * 255)
    written(sink_of(output)).commit()
    assert output.exists()


def test_a_pipe_is_written_directly_batch_by_batch(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sink = written(sink_of(path), batches=1)
        assert sink.partial_outputs() == ()
        assert os.read(reader, 100) == b"yes\nno\nwhat\n"
        sink.write(sink.encode(LINES[:1]))
        assert os.read(reader, 100) == b"yes\n"
        sink.commit()
        assert stat.S_ISFIFO(path.stat().st_mode)
    finally:
        os.close(reader)


def test_a_batch_larger_than_a_pipe_arrives_whole(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    received = bytearray()

    def receive() -> None:
        with path.open("rb") as file:
            received.extend(file.read())

    reader = threading.Thread(target=receive)
    reader.start()
    sink = sink_of(path)
    sink.open()
    sink.write(sink.encode([OutputLine("x" * 99 + "\n", "")] * 5_000))
    sink.commit()
    reader.join(timeout=30)
    assert received == (b"x" * 99 + b"\n") * 5_000


def test_a_pipe_whose_reader_has_gone_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = sink_of(path)
    sink.open()
    os.close(reader)
    with pytest.raises(BrokenOutputError, match="its reader has gone"):
        sink.write(sink.encode(LINES))
    sink.abort()


def test_a_full_disk_is_a_typed_error() -> None:
    sink = sink_of("/dev/full")
    sink.open()
    with pytest.raises(OutputError, match="No space left") as caught:
        sink.write(sink.encode(LINES))
    assert (caught.value.action, caught.value.path) == ("write", "/dev/full")
    sink.abort()


def test_a_sink_that_is_not_open_does_not_write(tmp_path: Path) -> None:
    sink = sink_of(tmp_path / "out")
    with pytest.raises(OutputError, match="not open"):
        sink.write(sink.encode(LINES))


def test_when_one_file_cannot_be_opened_nothing_is_left_of_the_other(tmp_path: Path) -> None:
    sink = sink_of(tmp_path / "out", tmp_path / "missing" / "rejects")
    with pytest.raises(OutputError, match="cannot open"):
        sink.open()
    assert list(tmp_path.iterdir()) == []
    assert sink.partial_outputs() == ()


def test_a_target_that_became_a_directory_is_a_typed_error(tmp_path: Path) -> None:
    output = tmp_path / "out"
    sink = written(sink_of(output))
    output.mkdir()
    with pytest.raises(OutputError, match="cannot replace"):
        sink.commit()
    assert Path(sink.partial_outputs()[0]).exists()


def test_the_summary_counts_lines_and_reasons(tmp_path: Path) -> None:
    sink = written(sink_of(tmp_path / "out"), batches=3)
    assert sink.summary() == {
        "lines": 9,
        "accepted": 3,
        "declined": 6,
        "INPUT_PARSE_ERROR": 3,
        "DAILY_AMOUNT_LIMIT": 3,
    }
    sink.abort()


def test_check_accepts_what_can_be_written_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    before = (tmp_path / "old").stat()
    for path in (str(tmp_path / "new"), str(tmp_path / "old"), "-", "/dev/null", "/dev/stdout"):
        OutputSink.check(OutputSettings(path=path, rejects=None))
    assert [p.name for p in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").stat() == before


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("folder", "it is a directory"),
        ("missing/out", "No such file"),
        ("file/out", "Not a directory"),
        ("nul\0", "null"),
        ("n" * 300, "too long"),
        ("/proc/no-such-process/out", "No such file|denied"),
    ],
)
@pytest.mark.parametrize("field", ["path", "rejects"])
def test_check_refuses_what_cannot_be_written(
    tmp_path: Path, field: str, path: str, problem: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    places: dict[str, Any] = {"path": str(tmp_path / "fine"), field: str(tmp_path / path)}
    with pytest.raises(CheckError, match=problem) as caught:
        OutputSink.check(OutputSettings(**places))
    assert caught.value.field == field


def test_check_refuses_output_and_rejects_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.link(tmp_path / "file", tmp_path / "hard")
    pairs = [("-", "-"), ("-", "/dev/stdout")]
    pairs += [
        (str(tmp_path / a), str(tmp_path / b))
        for a, b in [
            ("new", "new"),
            ("new", "../" + tmp_path.name + "/new"),
            ("file", "link"),
            ("file", "hard"),
        ]
    ]
    for output, rejects in pairs:
        with pytest.raises(CheckError, match="is the output itself"):
            OutputSink.check(OutputSettings(path=output, rejects=rejects))


def test_different_places_and_devices_may_be_named_together(tmp_path: Path) -> None:
    pairs = [("-", "/dev/stderr"), ("/dev/null", "/dev/null"), ("-", str(tmp_path / "r"))]
    assert [pair for pair in pairs if is_same_output(*pair)] == []
    assert not is_same_file("-", "-")  # standard input and standard output
    assert not is_same_file("nul\0", "nul\0")
