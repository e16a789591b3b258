"""The specification's programs: small ones of the same shape, and what is made of their figures."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from bench_environments import AbsentError
from bench_markdown import to_markdown
from bench_programs import HAND, NO_FOLDER, OURS, PROGRAMS, Programs, systems_of
from bench_report import Report, to_json
from bench_results import Measured, Results
from bench_systems import PEERS, SLOW_ROUNDS, Job, System
from bench_target_table import BESIDE, TARGETS
from bench_target_table import PROGRAMS as THEIR_TARGETS
from bench_targets import Verdict, evaluate, in_order, inside_speed
from run_bench import programs_folder

GENERATOR = """
import sys
for number in range(int(sys.argv[1])):
    print('{"id":"%d","customer_id":"%d","load_amount":"$1.00","time":"2000-01-04T00:00:00Z"}'
          % (1000 + 2 * number, 1 + number), file=open(sys.argv[2], "a"))
"""
STATS = """
import json, os, time
def ready():
    global began
    began = time.monotonic()
def done():
    told = {"startup_s": 0.1, "steady_s": time.monotonic() - began}
    open(os.environ["PEERS_STATS"], "a").write(json.dumps(told) + "\\n")
"""
HAND_LOOP = """
import json, os, stats, sys
assert os.environ["PEERS_NOGC"] == "1" and sys.argv[1] == "exp_mp"
stats.ready()
with open(sys.argv[2]) as lines, open(sys.argv[3], "w") as out:
    for line in map(json.loads, lines):
        kept = {"id": line["id"], "customer_id": line["customer_id"], "accepted": True}
        out.write(json.dumps(kept, separators=(",", ":")) + "\\n")
stats.done()
"""
QUEUE = """
import os, shutil, stats, sys
assert "PEERS_NOGC" not in os.environ and sys.argv[1:3] == ["batch", "exp_mp"]
sys.exit("no queue today")
"""
FAKES = {"gen": GENERATOR, "stats": STATS, "hand_msgspec": HAND_LOOP, "pipe_mpq": QUEUE}
SESSION = """
import json, sys
from pathlib import Path
from bench_programs import HAND, OURS, Programs, generator_of, systems_of
from bench_session import Plan, Session
folder = Path(sys.argv[1])
theirs = [system for system in systems_of(folder) if system.name not in OURS]
plan = Plan(theirs, (60,), 1, 1, 60.0, generator=generator_of(folder))
work = Path("work")
work.mkdir()
results = Session(plan, work, None, print).run()
found = {
    "identical": Programs(theirs, results).identical(theirs[0], 60),
    "told": [run.inside_seconds > 0 for run in results.runs[HAND, 60]] == [True],
    "absent": results.absent,
}
Path("found.json").write_text(json.dumps(found))
"""
ENVIRONMENT = {"python": "P", "system": "S", "cores": 2, "load_before": 0.5, "versions": {}}


def folder_with(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def measured(inside: float | None, output: str = "same") -> Measured:
    return Measured(2.0, 2.0, inside, output, None)


def programs(**insides: Sequence[float]) -> Programs:
    """Systems with so many seconds by their marks, of 100 records, round by round."""
    results = Results((100,))
    for name, seconds in insides.items():
        results.runs[name, 100] = [measured(inside) for inside in seconds]
    return Programs(systems_of(Path("anywhere")), results, {100: "aa"})


def system(found: Programs, name: str) -> System:
    return next(system for system in found.systems if system.name == name)


def report(found: Programs) -> Report:
    nothing = Results((10, 110))
    rows = in_order([*evaluate(nothing, TARGETS), *found.rows()])
    return Report(ENVIRONMENT, {}, [], nothing, rows, found)


def call(folder: Path, *command: str | Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(PEERS.parent)}
    ended = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_folders_programs_run_as_they_lie_there_and_what_fails_is_absent(tmp_path: Path) -> None:
    """They get their words and variables, and their own marks are their times."""
    folder = folder_with(tmp_path / "theirs", **FAKES)
    call(tmp_path, "-c", SESSION, folder)
    found = json.loads((tmp_path / "found.json").read_bytes())
    assert found["identical"] is True
    assert found["told"] is True
    assert found["absent"]["spec_queue"] == "no queue today"
    assert found["absent"]["spec_ray"].startswith("its packages are not installed")
    assert {path.stem for path in folder.iterdir()} == set(FAKES)


@pytest.mark.soak
def test_a_session_runs_a_folders_programs_beside_ours(tmp_path: Path) -> None:
    """The outputs of ours and of theirs are compared."""
    folder = folder_with(tmp_path / "theirs", **FAKES)
    options = ["--records", "60", "--rounds", "1", "--reports", "reports", "--systems"]
    call(tmp_path, PEERS.with_name("run_bench.py"), "--programs", folder, *options)
    document = json.loads((tmp_path / "reports" / "bench.json").read_bytes())
    found = {system["name"]: system for system in document["programs"]["systems"]}
    for name in (*OURS, HAND):
        size = found[name]["sizes"]["60"]
        assert size["identical"] is True
        assert [run["inside_seconds"] > 0 for run in size["runs"]] == [True]
    assert found["spec_queue"]["absent"] == "no queue today"


def test_a_program_that_is_not_in_the_folder_is_absent(tmp_path: Path) -> None:
    job = Job("exp_mp", *[tmp_path] * 3)
    with pytest.raises(AbsentError, match=r"no hand_msgspec\.py in the folder"):
        system(Programs(systems_of(tmp_path)), HAND).arguments(job)


@pytest.mark.parametrize(
    ("short", "systems", "given", "folder"),
    [
        (False, None, "there", "there"),
        (False, ["queue"], "there", "there"),
        (False, ["queue"], None, None),
        (True, None, "there", None),
        (False, None, "not there", None),
    ],
)
def test_the_programs_of_a_folder_run_where_they_are_asked_for(
    short: bool, systems: list[str] | None, given: str | None, folder: str | None, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    asked = argparse.Namespace(
        short=short, systems=systems, programs=None if given is None else tmp_path / given
    )
    assert programs_folder(asked) == (None if folder is None else tmp_path / folder)


def test_without_a_folder_its_rows_say_so_and_nothing_fails() -> None:
    found = report(Programs(absent=NO_FOLDER))
    rows = [row for row in found.rows if row.target in THEIR_TARGETS]
    assert {(row.verdict, row.on) for row in rows} == {(Verdict.UNKNOWN, "no folder of programs")}
    assert found.ok
    assert "Not measured: no folder of programs." in to_markdown(found, plot=None)
    assert json.loads(to_json(found))["programs"] == {"absent": "no folder of programs"}


def test_rows_by_the_programs_stand_beside_those_of_the_same_target() -> None:
    ids = [row.target.id for row in report(Programs(absent=NO_FOLDER)).rows]
    assert ids == sorted(ids, key=lambda name: int(name[1:]))
    assert ids.count("P1") == 2
    assert ids.count("P3") == 2 * len(BESIDE)


def test_each_of_the_users_other_choices_has_a_program() -> None:
    names = {program.name for program in PROGRAMS}
    assert names == {HAND, *(f"spec_{name}" for _, name, _ in BESIDE)}


def test_speed_is_by_the_marks_of_both_and_by_the_rounds_that_both_ran_in() -> None:
    """What is slow runs in the first rounds only."""
    found = programs(four=[1.0, 2.0, 1.0, 9.0], spec_ray=[3.0, 8.0, 5.0])
    assert found.results.inside_ratios("four", "spec_ray", 100) == [3.0, 4.0, 5.0]
    figure, on = inside_speed("four", "spec_ray")(found.results)
    assert figure is not None
    assert (figure.value, figure.rounds) == (4.0, 3)
    assert on == "100 records, inside"


def test_without_the_marks_of_both_there_is_no_speed() -> None:
    found = programs(four=[1.0])
    found.results.runs["spec_ray", 100] = [measured(None)]
    figure, why = inside_speed("four", "spec_ray")(found.results)
    assert figure is None
    assert why == "four and spec_ray did not both tell their time"


def test_what_is_slow_runs_at_its_largest_size_and_beam_up_to_its_own() -> None:
    sizes = {s.name: s.sizes((100_000, 1_000_000)) for s in systems_of(Path("anywhere"))}
    assert sizes["spec_ray"] == (1_000_000,)
    assert sizes["spec_beam"] == (100_000,)
    assert sizes["four"] == (100_000, 1_000_000)
    assert SLOW_ROUNDS == 3


def test_another_output_than_their_hand_loops_fails_the_session() -> None:
    found = programs(four=[1.0], spec_hand=[1.0])
    assert report(found).ok
    found.results.runs["four", 100] = [measured(1.0, "other")]
    assert report(found).differing == ["four on the specification's input (100)"]


def test_the_section_has_the_ratio_of_ours_to_each_with_the_least_and_the_most() -> None:
    found = programs(four=[1.0, 1.0, 1.0], spec_hand=[0.5, 0.8, 2.0], spec_ray=[4.0, 4.0, 4.0])
    text = to_markdown(report(found), plot=None)
    row = next(line for line in text.splitlines() if line.startswith("| H: hand-written loop"))
    assert [cell.strip() for cell in row.split("|")[2:7]] == [
        "125",
        "1.00",
        "0.80",
        "0.50 to 2.00",
        "3",
    ]
