"""Choices of exporters: what is wrong with them, and where kinds come from."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import NodeSpan
from sk_observability import (
    Choice,
    ExporterFault,
    ExporterSetupError,
    SpanFanOut,
    build_log_exporters,
    build_span_exporters,
    check_exporters,
)

Install = Callable[..., None]
LOGS = "sk_observability.log_exporters"
SPANS = "sk_observability.span_exporters"
KIND = """
from pathlib import Path
from sk_observability import ExporterFault, ExporterKind

class Names:
    def __init__(self, settings, origin):
        self.path, self.worker = Path(settings["file"]), origin.worker
    def export(self, items):
        with self.path.open("a") as file:
            file.writelines(f"{self.worker} {item.name}\\n" for item in items)
    def close(self):
        pass

def check(settings):
    if "file" not in settings:
        yield ExporterFault("file", "missing", "a path", "nothing")

names = ExporterKind(check, Names)
no_kind = object()
"""
OPENED_AND_BROKEN = """
from errno import EMFILE
from pathlib import Path
from sk_observability import ExporterKind

class Opened:
    def __init__(self, settings, origin):
        self.closed = Path(settings["path"])
    def export(self, items):
        pass
    def close(self):
        self.closed.touch()

def broken(settings, origin):
    raise OSError(EMFILE, "too many open files")

OPENED = ExporterKind(lambda settings: (), Opened)
BROKEN = ExporterKind(lambda settings: (), broken)
"""


@pytest.mark.contract("P5PRE-OBS-04")
def test_exporters_are_made_of_the_choices_several_at_once_and_all_get_the_spans(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    span: Callable[..., NodeSpan],
    lines_of: Callable[[Path], list[dict[str, Any]]],
) -> None:
    files = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    choices = [
        ("jsonl", {"path": str(files[0])}),
        ("stdout", {}),
        ("jsonl", {"path": str(files[1])}),
    ]
    fan_out = SpanFanOut(build_span_exporters(choices, worker="policy:0:1"))
    fan_out.on_spans([span(1), span(2)])
    fan_out.close()
    for path in files:
        assert [(line["sequence"], line["worker"]) for line in lines_of(path)] == [
            (1, "policy:0:1"),
            (2, "policy:0:1"),
        ]
    assert len(capfd.readouterr().out.splitlines()) == 2
    assert [(counts.kind, counts.exported) for counts in fan_out.counts()] == [
        ("jsonl", 2),
        ("stdout", 2),
        ("jsonl", 2),
    ]


def test_every_fault_of_all_choices_is_found_each_with_its_path(tmp_path: Path) -> None:
    log: list[Choice] = [("jsonl", {}), ("stdout", {"colour": True}), ("syslog", {})]
    span: list[Choice] = [
        ("jsonl", {"path": str(tmp_path / "no" / "file"), "mode": 1}),
        ("jsonl", {"path": 7}),
        ("jsonl", {"path": str(tmp_path / "fine")}),
        ("zipkin", {"endpoint": "x"}),
    ]
    assert [(fault.path, fault.category) for fault in check_exporters(log, span)] == [
        ("runtime.observability.logging.exporters[0].settings.path", "missing"),
        ("runtime.observability.logging.exporters[1].settings.colour", "unknown_key"),
        ("runtime.observability.logging.exporters[2].kind", "unavailable"),
        ("runtime.observability.tracing.exporters[0].settings.path", "bad_value"),
        ("runtime.observability.tracing.exporters[0].settings.mode", "unknown_key"),
        ("runtime.observability.tracing.exporters[1].settings.path", "wrong_type"),
        ("runtime.observability.tracing.exporters[3].kind", "unavailable"),
    ]


@pytest.mark.contract("P5PRE-CFG-04")
@pytest.mark.parametrize(
    ("kind", "hint"),
    [("zipkin", ""), ("otel_logs_otlp", " (did you mean otel_otlp?)"), ("", "")],
)
def test_a_kind_that_no_package_provides_is_named_with_those_that_there_are(
    kind: str, hint: str
) -> None:
    assert list(map(str, check_exporters(span=[(kind, {})]))) == [
        "runtime.observability.tracing.exporters[0].kind: unavailable: expected one of jsonl,"
        f" opentracing_bridge, otel_otlp, stdout{hint};"
        f" got '{kind}': no installed package provides it"
    ]


@pytest.mark.contract("P5PRE-CFG-06")
@pytest.mark.parametrize(
    ("kind", "hint"),
    [("syslog", ""), ("otel_otlp", " (did you mean otel_logs_otlp?)"), ("", "")],
)
def test_a_log_kind_that_no_package_provides_is_named_with_those_that_there_are(
    kind: str, hint: str
) -> None:
    assert list(map(str, check_exporters(log=[(kind, {})]))) == [
        "runtime.observability.logging.exporters[0].kind: unavailable: expected one of jsonl,"
        f" otel_logs_otlp, stdout{hint}; got '{kind}': no installed package provides it"
    ]


def test_a_check_makes_nothing_and_sound_choices_have_no_fault(tmp_path: Path) -> None:
    choices = [("jsonl", {"path": str(tmp_path / "new")}), ("stdout", {})]
    assert check_exporters(choices, choices) == ()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "a text that is no path"),
        ("a\0b", "a text that is no path"),
        ("\ud800", "a text that is no path"),  # a letter that no encoding has
        ("missing/file", "one in a folder that does not exist"),
        ("folder", "a folder"),
        ("folder/", "a folder"),
    ],
    ids=ascii,
)
def test_a_path_that_cannot_be_written_is_a_fault(tmp_path: Path, path: str, problem: str) -> None:
    (tmp_path / "folder").mkdir()
    where = f"{tmp_path}/{path}" if path else ""
    [fault] = check_exporters(log=[("jsonl", {"path": where})])
    assert (fault.category, fault.got) == ("bad_value", problem)


def test_a_relative_path_in_a_working_directory_that_was_deleted_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    [fault] = check_exporters(log=[("jsonl", {"path": "events"})])
    assert (fault.category, fault.got) == ("bad_value", "one in a folder that does not exist")


def test_the_path_of_a_socket_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as there:
        there.bind("there")
        [fault] = check_exporters(log=[("jsonl", {"path": "there"})])
    assert (fault.category, fault.got) == ("bad_value", "a socket")


def test_a_fault_shows_no_value_of_a_setting() -> None:
    faults = check_exporters(
        log=[("jsonl", {"path": "/s3cr3t/s3cr3t"}), ("stdout", {"key": "s3cr3t"})]
    )
    assert len(faults) == 2
    assert "s3cr3t" not in str(ExporterSetupError(faults))


def test_building_faulty_choices_raises_all_faults_and_opens_nothing(tmp_path: Path) -> None:
    choices = [("jsonl", {"path": str(tmp_path / "fine")}), ("jsonl", {}), ("nonsense", {})]
    with pytest.raises(ExporterSetupError) as caught:
        build_span_exporters(choices)
    assert caught.value.faults == check_exporters(span=choices)
    assert list(tmp_path.iterdir()) == []


def test_a_build_that_fails_closes_what_was_built(installed: Install, tmp_path: Path) -> None:
    installed(LOGS, "opened = other_kinds:OPENED\nbroken = other_kinds:BROKEN", OPENED_AND_BROKEN)
    path = tmp_path / "closed"
    with pytest.raises(ExporterSetupError) as caught:
        build_log_exporters([("opened", {"path": str(path)}), ("broken", {})])
    assert path.exists()
    [fault] = caught.value.faults
    assert fault.category == "not_opened"
    assert re.fullmatch(r"EMFILE: too many open files \(.*other_kinds.py, line \d+\)", fault.got)
    assert fault.path == "runtime.observability.logging.exporters[1]"


@pytest.mark.contract("P5PRE-OBS-05")
@pytest.mark.parametrize(
    ("group", "build", "origin"),
    [
        (LOGS, build_log_exporters, "None"),
        (SPANS, lambda c: build_span_exporters(c, worker="w"), "w"),
    ],
    ids=["log", "span"],
)
def test_another_package_adds_a_kind_by_an_entry_point(
    tmp_path: Path,
    installed: Install,
    span: Callable[..., NodeSpan],
    group: str,
    build: Callable[..., list[Any]],
    origin: str,
) -> None:
    installed(group, "names = other_kinds:names", KIND)
    target = tmp_path / "names.txt"
    [outlet] = build([("names", {"file": str(target)})])
    outlet.export([span(1, name="a"), span(2, name="b")])
    outlet.close()
    assert target.read_text() == f"{origin} a\n{origin} b\n"


@pytest.mark.contract("P5PRE-OBS-05")
def test_the_faults_that_an_added_kind_finds_are_reported_as_those_of_the_others(
    installed: Install,
) -> None:
    installed(SPANS, "names = other_kinds:names", KIND)
    assert check_exporters(span=[("stdout", {}), ("names", {})]) == (
        ExporterFault(
            "runtime.observability.tracing.exporters[1].settings.file",
            "missing",
            "a path",
            "nothing",
        ),
    )


def test_added_kinds_are_among_those_that_a_fault_lists(installed: Install) -> None:
    installed(LOGS, "names = other_kinds:names", KIND)
    [fault] = check_exporters(log=[("nonsense", {})])
    assert fault.expected == "one of jsonl, names, otel_logs_otlp, stdout"


@pytest.mark.parametrize(
    ("line", "source", "problem"),
    [
        ("k = other_kinds:k", "import not_installed.at_all", "other_kinds:k needs not_installed"),
        ("k = other_kinds:k", "1 / 0", "other_kinds:k raised ZeroDivisionError"),
        ("k = other_kinds:k", "", "other_kinds:k raised AttributeError"),
        ("k = other_kinds:no_kind", KIND, "other_kinds:no_kind is no ExporterKind"),
    ],
    ids=["missing dependency", "defect", "missing name", "wrong object"],
)
def test_an_added_kind_that_does_not_load_is_a_fault_that_says_why(
    installed: Install, line: str, source: str, problem: str
) -> None:
    installed(SPANS, line, source)
    [fault] = check_exporters(span=[("k", {})])
    assert (fault.category, fault.got) == ("unavailable", f"'k': {problem}")


def test_a_kind_that_two_packages_provide_is_a_fault_that_names_both(installed: Install) -> None:
    installed(SPANS, "k = one:k", KIND, name="first")
    installed(SPANS, "k = two:k", KIND, name="second")
    [fault] = check_exporters(span=[("k", {})])
    assert fault.got == "'k': it is provided by one:k and two:k"


@pytest.mark.parametrize(
    ("source", "category", "got"),
    [
        (
            "def check(settings):\n    raise KeyError(settings['url'])\n"
            "k = ExporterKind(check, print)",
            "bad_value",
            "some on which its check raises KeyError: '***' (other_kinds.py, line 3)",
        ),
        (
            "def build(settings, origin):\n    raise ValueError('no ' + settings['url'])\n"
            "k = ExporterKind(lambda settings: (), build)",
            "not_opened",
            "ValueError: no *** (other_kinds.py, line 3)",
        ),
        (
            "k = ExporterKind(lambda settings: (), lambda settings, origin: 's3cr3t')",
            "not_opened",
            "an object of the class str",
        ),
        (
            "def build(settings, origin):\n    raise SystemExit(f\"{settings['more']}\")\n"
            "k = ExporterKind(lambda settings: (), build)",
            "not_opened",
            "SystemExit: {'urls': ['***']} (other_kinds.py, line 3)",
        ),
        (
            "def build(settings): ...\nk = ExporterKind(lambda settings: (), build)",
            "not_opened",
            "TypeError: build() takes 1 positional argument but 2 were given",
        ),
    ],
    ids=["check", "build", "no exporter", "exit", "parameters"],
)
def test_an_added_kind_that_raises_is_a_fault_with_its_line_and_without_settings(
    installed: Install, source: str, category: str, got: str
) -> None:
    header = "from sk_observability import ExporterKind\n"
    installed(SPANS, "k = other_kinds:k", header + source)
    with pytest.raises(ExporterSetupError) as caught:
        build_span_exporters([("k", {"url": "s3cr3t", "more": {"urls": ["s3cr3t/more"]}})])
    [fault] = caught.value.faults
    folder = re.escape(os.sep)
    assert (fault.category, re.sub(rf"\(.*{folder}", "(", fault.got)) == (category, got)


def test_built_in_kinds_need_no_look_at_what_is_installed(tmp_path: Path) -> None:
    code = (
        "import sys; from sk_observability import *;"
        "choices = [('jsonl', {'path': sys.argv[1]}), ('stdout', {})];"
        "check_exporters(choices, choices); build_log_exporters(choices);"
        "build_span_exporters(choices); sys.exit('importlib.metadata' in sys.modules)"
    )
    # Without site-packages' own start-up code (-S), which may look around for reasons of its own.
    folders = os.pathsep.join(path for path in sys.path if path)
    subprocess.run(
        [sys.executable, "-S", "-c", code, str(tmp_path / "file")],
        env={**os.environ, "PYTHONPATH": folders},
        check=True,
    )


def test_importing_the_package_brings_no_opentelemetry() -> None:
    code = "import sys, sk_observability; sys.exit(any('opentelemetry' in m for m in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)
