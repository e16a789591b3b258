"""What cannot run is refused with exit 2, every fault told, before a worker process exists."""

from __future__ import annotations

from typing import Any

import pytest
from e2e_bench import Bench, each_profile, run_options
from e2e_run import Ended

OLD = b"old\n"
GROUPS = "runtime.platform.process_groups"


def refused(bench: Bench, *arguments: str, before: tuple[str, ...] = ()) -> Ended:
    """Run what must be refused: exit 2, nothing on standard output, no process started."""
    ended, measured = bench.measure(*arguments, before=before)
    assert (ended.code, ended.output) == (2, b""), ended.said
    assert measured.largest_child_mib == 0, "a process was started"
    assert "Traceback" not in ended.said
    return ended


def test_a_process_that_is_started_is_noticed(bench: Bench) -> None:
    """What `refused` rests on: a run that does start its workers is seen to."""
    bench.write("in", b"")
    options = run_options("exp_mp", "multiprocess", input="in", output="-")
    ended, measured = bench.measure(*options)
    assert ended.code == 0
    assert measured.largest_child_mib > 0


def faulty(document: dict[str, Any]) -> None:
    platform = document["runtime"]["platform"]
    platform["process_groups"][0]["workers"] = 0
    platform["process_groups"][1]["heartbeat"] = 1
    platform["execution_ipc"]["auth"] = {"secret_mode": "borrowed"}
    document["adapter"] = {}


@pytest.mark.contract("BOOT-CFG-02")
def test_all_faults_of_a_file_and_of_overrides_are_listed_with_their_paths(bench: Bench) -> None:
    """Faults of values and of names, from the file and from `--set`, in one go."""
    config = bench.derived_config("exp_mp_multiprocess", faulty)
    overrides = [
        *("--set", "runtime.platform.batch.max_records=0"),
        *("--set", "runtime.platform.execution_ipc.bind_host=0.0.0.0"),
        *("--set", "nodes[0]=1"),
    ]
    said = refused(bench, "run", "--config", config, *overrides, "--output", "out").said
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
def test_all_faults_of_nodes_and_adapters_settings_are_listed(bench: Bench, profile: str) -> None:
    """What only the nodes' own models know: unknown nodes and settings, wrong values."""
    overrides = [
        *("--set", "nodes.bogus.x=1"),
        *("--set", "nodes.evaluate_policies.daily_cents=-1"),
        *("--set", "nodes.compute_features.monday=2"),
        *("--set", "adapters.sink.settings.mode=fast"),
    ]
    said = refused(bench, *run_options("exp_mp", profile), *overrides).said
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:]] == [
        "adapters.sink.settings.mode",
        "nodes.bogus",
        "nodes.compute_features.monday",
        "nodes.evaluate_policies.daily_cents",
    ]


def test_faults_of_placement_files_and_exporters_are_listed_together(bench: Bench) -> None:
    overrides = [
        *("--set", f'{GROUPS}[0].nodes=["source:source", ingress_line_bridge]'),
        *("--set", "runtime.observability.logging.exporters=[{kind: jsonl}]"),
    ]
    files = {"input": "missing", "output": "missing/out"}
    said = refused(bench, *run_options("exp_mp", "multiprocess", **files), *overrides).said
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
    bench: Bench, arguments: list[str], told: str
) -> None:
    bench.write("in", b"")
    said = refused(bench, "run", *arguments, "--input", "in", "--output", "out").said
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
    bench: Bench, files: dict[str, str], told: list[str]
) -> None:
    """In memory too; of that the tests of sk-fundload tell."""
    bench.write("in", OLD)
    bench.write("out", OLD)
    (bench.folder / "folder").mkdir()
    (bench.folder / "link").symlink_to("in")
    chosen = {"input": "in", "output": "out", **files}
    said = refused(bench, *run_options("exp_mp", "multiprocess", **chosen)).said
    assert all(word in said for word in told)
    assert said.count("\n") == 1
    assert said.count("cannot") <= 1
    assert (bench.read("in"), bench.read("out")) == (OLD, OLD)
    assert {path.name for path in bench.folder.iterdir()} - {"temporary", "measured.json"} == {
        *("in", "out", "folder", "link")
    }


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
    said = refused(bench, *run_options("exp_mp", profile, **files), before=before).said
    assert said.count("\n") == 1
