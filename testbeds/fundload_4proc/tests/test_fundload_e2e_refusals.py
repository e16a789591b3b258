"""What cannot run is refused with exit 2, every fault told, before a worker process exists."""

from __future__ import annotations

import contextlib
import gc
import resource
import runpy
import sys
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from e2e_bench import Bench, each_profile, run_options

OLD = b"old\n"
GROUPS = "runtime.platform.process_groups"

Refused = Callable[..., str]


def processes() -> tuple[int, list[psutil.Process]]:
    """What changes with any process that this one starts: it is there, or its end was waited for.

    Of those whose end was waited for, the system counts the pages that they touched.
    """
    touched = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    return touched, psutil.Process().children()


@pytest.fixture
def here(
    bench: Bench, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process and the bench's folder: exit code, output, standard error.

    What is refused comes to nothing that would need a process of its own.
    """

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["sk-fundload", *arguments])
        with contextlib.chdir(bench.folder), pytest.raises(SystemExit) as end:
            runpy.run_module("sk_fundload", run_name="__main__")
        gc.unfreeze()  # as this process is not at its end
        return int(str(end.value.code)), *capfd.readouterr()

    return run


@pytest.fixture
def refused(here: Callable[..., tuple[int, str, str]]) -> Refused:
    """Run what must be refused: exit 2, nothing on standard output, no process started."""

    def run(*arguments: str) -> str:
        before = processes()
        code, output, said = here(*arguments)
        assert (code, output) == (2, ""), said
        assert processes() == before, "a process was started"
        assert "Traceback" not in said
        return said

    return run


def test_a_process_that_is_started_is_noticed(
    bench: Bench, here: Callable[..., tuple[int, str, str]]
) -> None:
    """What `refused` rests on: a run that does start its workers is seen to."""
    bench.write("in", b"")
    before = processes()
    assert here(*run_options("exp_mp", "multiprocess", input="in", output="-"))[0] == 0
    assert processes() != before


def faulty(document: dict[str, Any]) -> None:
    platform = document["runtime"]["platform"]
    platform["process_groups"][0]["workers"] = 0
    platform["process_groups"][1]["heartbeat"] = 1
    platform["execution_ipc"]["auth"] = {"secret_mode": "borrowed"}
    document["adapter"] = {}


@pytest.mark.contract("BOOT-CFG-02")
def test_all_faults_of_a_file_and_of_overrides_are_listed_with_their_paths(
    bench: Bench, refused: Refused
) -> None:
    """Faults of values and of names, from the file and from `--set`, in one go."""
    config = bench.derived_config("exp_mp_multiprocess", faulty)
    overrides = [
        *("--set", "runtime.platform.batch.max_records=0"),
        *("--set", "runtime.platform.execution_ipc.bind_host=0.0.0.0"),
        *("--set", "nodes[0]=1"),
    ]
    said = refused("run", "--config", config, *overrides, "--output", "out")
    heading, *faults = said.splitlines()
    assert heading == "error: derived.yaml: 7 faults in the configuration"
    assert sorted(fault.split(":")[0].strip() for fault in faults) == [
        "adapter",
        "nodes[0]",
        "runtime.platform.batch.max_records",
        "runtime.platform.execution_ipc.auth.secret_mode",
        "runtime.platform.execution_ipc.bind_host",
        f"{GROUPS}[0].workers",
        f"{GROUPS}[1].heartbeat",
    ]
    assert list(bench.folder.glob("out*")) == []


@each_profile
def test_all_faults_of_nodes_and_adapters_settings_are_listed(
    refused: Refused, profile: str
) -> None:
    """What only the nodes' own models know: unknown nodes and settings, wrong values."""
    overrides = [
        *("--set", "nodes.bogus.x=1"),
        *("--set", "nodes.evaluate_policies.daily_cents=-1"),
        *("--set", "nodes.compute_features.monday=2"),
        *("--set", "adapters.sink.settings.mode=fast"),
    ]
    said = refused(*run_options("exp_mp", profile), *overrides)
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == [
        "adapters.sink.settings.mode",
        "nodes.bogus",
        "nodes.compute_features.monday",
        "nodes.evaluate_policies.daily_cents",
    ]


def test_faults_of_placement_files_and_exporters_are_listed_together(refused: Refused) -> None:
    overrides = [
        *("--set", f'{GROUPS}[0].nodes=["source:source", ingress_line_bridge]'),
        *("--set", "runtime.observability.logging.exporters=[{kind: jsonl}]"),
    ]
    files = {"input": "missing", "output": "missing/out"}
    said = refused(*run_options("exp_mp", "multiprocess", **files), *overrides)
    for place in (
        *("parse_load_attempt: ", "adapters.source.settings.path: "),
        *("adapters.sink.settings.path: ", "exporters[0].settings.path: "),
    ):
        assert place in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "in", "--rules", "exp_mp"], "--config and --rules exclude each other"),
        (["--config", "in", "--profile", "memory"], "--config and --profile exclude each other"),
        (["--profile", "memory"], "--rules is needed"),
        (["--rules", "exp_mp"], "--profile is needed"),
    ],
)
def test_options_that_do_not_choose_one_configuration_are_refused(
    bench: Bench, refused: Refused, arguments: list[str], told: str
) -> None:
    bench.write("in", b"")
    said = refused("run", *arguments, "--input", "in", "--output", "out")
    assert said.startswith(f"error: {told}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"input": "missing"}, ["missing", "No such file"]),
        ({"input": "folder"}, ["folder", "directory"]),
        ({"input": "in/side"}, ["in/side", "Not a directory"]),
        ({"output": "missing/out"}, ["missing/out", "No such file"]),
        ({"output": "folder"}, ["folder", "directory"]),
        ({"output": "in/side"}, ["in/side", "Not a directory"]),
        ({"output": "in"}, ["input and output are the same file", "in"]),
        ({"output": "link"}, ["input and output are the same file", "link"]),
        ({"rejects": "in"}, ["input and rejects are the same file", "in"]),
        ({"rejects": "missing/rejects"}, ["missing/rejects", "No such file"]),
        ({"rejects": "out"}, ["is the output itself", "out"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_files_that_cannot_be_are_refused_in_one_line(
    bench: Bench, refused: Refused, files: dict[str, str], told: list[str]
) -> None:
    """In memory too; of that the tests of sk-fundload tell."""
    bench.write("in", OLD)
    bench.write("out", OLD)
    (bench.folder / "folder").mkdir()
    (bench.folder / "link").symlink_to("in")
    chosen = {"input": "in", "output": "out", **files}
    said = refused(*run_options("exp_mp", "multiprocess", **chosen))
    assert all(word in said for word in told)
    assert said.count("\n") == 1
    assert said.count("cannot") <= 1
    assert (bench.read("in"), bench.read("out")) == (OLD, OLD)
    names = {"temporary", "in", "out", "folder", "link"}
    assert {path.name for path in bench.folder.iterdir()} == names


@each_profile
@pytest.mark.parametrize(
    ("closed", "files"),
    [("<&-", {"input": "-", "output": "out"}), (">&-", {"input": "in", "output": "-"})],
    ids=["standard input", "standard output"],
)
def test_a_closed_standard_stream_is_refused(
    bench: Bench, profile: str, closed: str, files: dict[str, str]
) -> None:
    """Its number would go to a socket of the run's own, and that be read or written instead."""
    bench.write("in", OLD)
    before = ("sh", "-c", f'exec "$0" "$@" {closed}')
    ended, measured = bench.measure(*run_options("exp_mp", profile, **files), before=before)
    assert (ended.code, ended.output, ended.said.count("\n")) == (2, b"", 1), ended.said
    assert measured.largest_child_mib == 0, "a process was started"
