"""The source: files and pipes as lines, and being interrupted."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sk_fundload.adapters import LineSource, LineSourceSettings
from sk_fundload.errors import InputError
from sk_fundload.messages import RawLine
from sk_kernel import CheckError

MEGABYTE = 1 << 20


def source_of(path: Path | str) -> LineSource:
    return LineSource(LineSourceSettings(path=str(path)))


def read_all(source: LineSource, records: int = 100, size: int = MEGABYTE) -> list[RawLine]:
    lines: list[RawLine] = []
    while raw := source.read(records, size):
        assert len(raw) <= records
        lines += source.decode(raw)
    return lines


@pytest.fixture
def opened() -> Iterator[list[LineSource]]:
    """Sources to close in the end."""
    sources: list[LineSource] = []
    yield sources
    for source in sources:
        source.close()


def opened_source(path: Path | str, opened: list[LineSource]) -> LineSource:
    source = source_of(path)
    source.open()
    opened.append(source)
    return source


def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("records", [1, 2, 7, 1000])
def test_a_file_is_read_whole_whatever_the_size_of_a_read(
    tmp_path: Path, opened: list[LineSource], records: int
) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(1, 50)))
    lines = read_all(opened_source(path, opened), records)
    assert lines == [RawLine(n, b"line %d" % n) for n in range(1, 50)]


def test_blank_lines_are_counted_and_dropped(tmp_path: Path, opened: list[LineSource]) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"\xef\xbb\xbf\n \t\r\na\n\r\n\r\r\n!\n\x0b\n\xc2\xa0\n  b \r\n \r")
    lines = read_all(opened_source(path, opened))
    expected = [(3, b"a"), (6, b"!"), (7, b"\x0b"), (8, b"\xc2\xa0"), (9, b"  b ")]
    assert [(line.line_no, line.data) for line in lines] == expected


def test_an_empty_file_has_no_lines(tmp_path: Path, opened: list[LineSource]) -> None:
    path = tmp_path / "in"
    path.touch()
    assert read_all(opened_source(path, opened)) == []


def test_a_read_gives_no_more_bytes_than_asked_for_but_a_long_line_comes_alone(
    tmp_path: Path, opened: list[LineSource]
) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"12345\n12345\n123\n1234567890123456789012345\n1\n2\n")
    source = opened_source(path, opened)
    sizes = []
    while raw := source.read(100, 10):
        sizes.append([len(line) for line in raw])
    assert sizes == [[5, 5], [3], [25], [1, 1]]


def test_a_line_of_a_hundred_megabytes_is_one_short_record(
    tmp_path: Path, opened: list[LineSource]
) -> None:
    path = tmp_path / "in"
    with path.open("wb") as file:
        file.write(b"a\n")
        file.truncate(100 * MEGABYTE)  # zeros, which take no room on the disk
        file.seek(0, os.SEEK_END)
        file.write(b"\nb\n")
    lines = read_all(opened_source(path, opened))
    assert [(line.line_no, len(line.data)) for line in lines] == [(1, 1), (2, MEGABYTE + 1), (3, 1)]


def test_a_pipe_is_answered_as_its_lines_come(tmp_path: Path, opened: list[LineSource]) -> None:
    path = fifo(tmp_path)
    source = opened_source(path, opened)
    writer = os.open(path, os.O_WRONLY)
    try:
        for text in (b"one\n", b"two\nthree\n"):
            os.write(writer, text)
            assert source.read(100, MEGABYTE) == text.split()
        os.write(writer, b"half a line")
    finally:
        os.close(writer)
    assert source.read(100, MEGABYTE) == [b"half a line"]
    assert source.read(100, MEGABYTE) == []


@pytest.mark.parametrize("with_writer", [True, False])
def test_a_read_that_waits_can_be_interrupted(
    tmp_path: Path, opened: list[LineSource], with_writer: bool
) -> None:
    path = fifo(tmp_path)
    source = opened_source(path, opened)
    writer = os.open(path, os.O_WRONLY) if with_writer else None
    result: list[object] = []
    reader = threading.Thread(target=lambda: result.append(source.read(100, MEGABYTE)))
    reader.start()
    source.interrupt()
    reader.join(timeout=30)
    assert result == [[]]
    if writer is not None:
        os.write(writer, b"too late\n")
        os.close(writer)
    assert source.read(100, MEGABYTE) == []


def test_an_interrupted_file_ends_at_once(tmp_path: Path, opened: list[LineSource]) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"1\n2\n3\n4\n")
    source = opened_source(path, opened)
    assert source.read(2, MEGABYTE) == [b"1", b"2"]
    source.interrupt()
    assert source.read(2, MEGABYTE) == []


def test_interrupting_is_allowed_before_opening_and_after_closing(tmp_path: Path) -> None:
    path = fifo(tmp_path)
    source = source_of(path)
    source.interrupt()
    source.open()
    assert source.read(1, MEGABYTE) == []
    source.close()
    source.interrupt()
    source.close()


def test_closing_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = fifo(tmp_path)
    lowest = os.dup(0)
    os.close(lowest)
    for _ in range(3):
        source = source_of(path)
        source.open()
        source.close()
    again = os.dup(0)
    os.close(again)
    assert again == lowest


def test_check_accepts_files_pipes_and_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "in"
    file.touch()
    for path in (str(file), str(fifo(tmp_path)), "-", "/dev/stdin", "/dev/null"):
        LineSource.check(LineSourceSettings(path=path))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing", "No such file"),
        (".", "it is a directory"),
        ("file/below", "Not a directory"),
        ("nul\0", "null"),
        ("x" * 5_000, "too long"),
    ],
)
def test_check_refuses_what_cannot_be_read(tmp_path: Path, path: str, problem: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckError, match=problem) as caught:
        LineSource.check(LineSourceSettings(path=str(tmp_path / path)))
    assert caught.value.field == "path"


def test_check_refuses_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(CheckError, match="it is a socket"):
            LineSource.check(LineSourceSettings(path="s"))


def test_what_vanished_after_the_check_is_a_typed_error(tmp_path: Path) -> None:
    source = source_of(tmp_path / "gone")
    with pytest.raises(InputError, match=r"cannot open .*gone: No such file"):
        source.open()
    source.close()


def test_what_cannot_be_read_after_all_is_a_typed_error(
    tmp_path: Path, opened: list[LineSource]
) -> None:
    source = opened_source(tmp_path, opened)  # a directory opens, and does not read
    with pytest.raises(InputError, match="cannot read"):
        source.read(1, MEGABYTE)
