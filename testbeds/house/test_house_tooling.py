"""The sessions, and what CI runs them with."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from source_tree import PACKAGES, ROOT, parse

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = ROOT / ".github" / "workflows" / "ci.yml"
CALLS = re.compile(r"noxw -s ((?:\w[\w-]* ?)+)")
"""The names of the sessions that a line runs."""
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)

READ = {"contents": "read"}
WRITES = {
    ("release.yml", "publish"): {"attestations": "write", "id-token": "write"},
    ("release.yml", "release"): {"contents": "write"},
    ("report.yml", "site"): {"id-token": "write", "pages": "write"},
}
"""The jobs that may do more than read, and what."""

SESSIONS = [
    node
    for node in parse(ROOT / "noxfile.py").body
    if isinstance(node, ast.FunctionDef)
    and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
]


NOT_IN_CI = {
    "tests": "tests_on runs them",
    "build": "release-check builds",
    "bench": "measures, where nothing else runs",
    "growth": "measures, where nothing else runs",
}
"""The sessions that no workflow runs, and why."""

ON_THE_RUNNER = {"a browser", "node", "npm"}
"""What the image of a runner has of the programs that sessions ask for."""


SYSTEM_PROGRAMS = next(
    ast.literal_eval(node.value)
    for node in parse(ROOT / "noxfile.py").body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SYSTEM_PROGRAMS"
)
"""By the name that a session asks for: what it may be called, and the Debian package."""


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_a_session_has_a_docstring_of_one_line(session: ast.FunctionDef) -> None:
    assert len((ast.get_docstring(session) or "").splitlines()) == 1


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_a_session_names_the_system_packages_that_it_asks_for(session: ast.FunctionDef) -> None:
    """In its line of the list, and no others."""
    asked = programs_of(session)
    said = re.search(r"\(Debian: (.*)\)", ast.get_docstring(session) or "")
    named = re.findall("``(.+?)``", said.group(1)) if said else []
    assert sorted(named) == sorted(SYSTEM_PROGRAMS[program][1] for program in asked)


@each_workflow
def test_a_workflow_pins_every_action_by_commit_and_says_the_version(path: Path) -> None:
    uses = re.findall(r"uses: *(.*)", path.read_text("utf-8"))
    pinned = r"[\w./-]+@[0-9a-f]{40} # v\S+|\./\.github/workflows/\w+\.yml"
    assert [line for line in uses if not re.fullmatch(pinned, line)] == []


def test_an_action_is_pinned_to_the_same_commit_everywhere() -> None:
    text = "\n".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: *([\w./-]+)@(\w+ # \S+)", text))
    assert len({action for action, _ in pins}) == len(pins)


def test_a_workflow_may_only_read_except_for_the_jobs_that_publish() -> None:
    assert {path.name for path in WORKFLOWS if yaml_of(path)["permissions"] != READ} == set()
    assert {
        (path.name, name): job["permissions"]
        for path in WORKFLOWS
        for name, job in yaml_of(path)["jobs"].items()
        if "permissions" in job
    } == WRITES


@each_workflow
def test_every_job_of_a_workflow_has_a_time_limit(path: Path) -> None:
    jobs = yaml_of(path)["jobs"].items()
    assert [name for name, job in jobs if not {"timeout-minutes", "uses"} & set(job)] == []


@each_workflow
def test_a_checkout_leaves_no_credentials(path: Path) -> None:
    checkouts = [
        step
        for job in yaml_of(path)["jobs"].values()
        for step in job.get("steps", [])
        if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


def test_nothing_is_published_before_its_gates_and_tests_are_green() -> None:
    jobs = yaml_of(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert set(jobs["publish"]["needs"]) == {"build", "tests", "gates"}
    assert "if" not in jobs["publish"]
    gates = yaml_of(ROOT / ".github" / "workflows" / "gates.yml")["jobs"]["gates"]["steps"]
    assert "./noxw -s parity smoke contracts" in [step.get("run") for step in gates]


def test_the_check_that_stands_for_ci_waits_for_every_job_and_is_never_left_out() -> None:
    jobs = yaml_of(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert set(jobs["green"]["needs"]) == set(jobs) - {"green"}
    assert jobs["green"]["if"] == "always()"


def test_a_package_names_macos_only_where_a_job_runs_it_there() -> None:
    steps = yaml_of(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["macos"]["steps"]
    tried = " ".join(step.get("run", "") for step in steps).split()
    named = "Operating System :: MacOS"
    assert {p.name for p in PACKAGES if named in p.project["classifiers"]} <= set(tried)


def test_a_workflow_runs_every_session_that_has_no_reason_to_be_left_out() -> None:
    text = "\n".join(path.read_text("utf-8") for path in WORKFLOWS)
    called = {word for call in CALLS.findall(text) for word in call.split()}
    listed = set(re.findall(r"'(\w+)'", yaml_of(CI)["jobs"]["list"]["steps"][-1]["env"]["TAG"]))
    run = {
        session.name
        for session in SESSIONS
        if tags_of(session) & listed or {session.name, session.name.replace("_", "-")} & called
    }
    assert {session.name for session in SESSIONS} - run == NOT_IN_CI.keys()


def test_ci_installs_what_a_session_asks_for_and_the_runner_lacks() -> None:
    installed = {
        (step["if"], package)
        for step in yaml_of(CI)["jobs"]["session"]["steps"]
        if "apt-get install" in step.get("run", "")
        for package in step["run"].rpartition("--yes ")[2].split()
    }
    assert installed == {
        (f"matrix.job.session == '{session.name}'", SYSTEM_PROGRAMS[program][1])
        for session in SESSIONS
        for program in programs_of(session) - ON_THE_RUNNER
    }


@pytest.mark.parametrize("path", [ROOT / ".ci" / "run", *WORKFLOWS], ids=lambda path: path.name)
def test_the_sessions_of_ci_are_all_known(path: Path) -> None:
    calls = CALLS.findall(path.read_text("utf-8"))
    named = {word for call in calls for word in call.split()}
    assert named <= {session.name.replace("_", mark) for session in SESSIONS for mark in "_-"}


def programs_of(session: ast.FunctionDef) -> set[str]:
    """The programs that a session needs of the system."""
    return {
        argument.value
        for node in ast.walk(session)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "need"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def tags_of(session: ast.FunctionDef) -> set[str]:
    """The tags that a session bears."""
    return {
        tag
        for decorator in session.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
        if keyword.arg == "tags"
        for tag in ast.literal_eval(keyword.value)
    }


def yaml_of(path: Path) -> dict[str, Any]:
    """The workflow as data."""
    data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return data
