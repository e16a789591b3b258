"""The sessions, and what CI runs them with."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from source_tree import ROOT, parse

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)

SESSIONS = [
    node
    for node in parse(ROOT / "noxfile.py").body
    if isinstance(node, ast.FunctionDef)
    and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.name)
def test_a_session_has_a_docstring_of_one_line(session: ast.FunctionDef) -> None:
    assert len((ast.get_docstring(session) or "").splitlines()) == 1


@each_workflow
def test_a_workflow_pins_every_action_by_commit_and_says_the_version(path: Path) -> None:
    uses = re.findall(r"uses: *(.*)", path.read_text("utf-8"))
    assert [line for line in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\S+", line)] == []


@each_workflow
def test_a_workflow_may_only_read(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert [name for name, job in workflow["jobs"].items() if "permissions" in job] == []


@each_workflow
def test_every_job_of_a_workflow_has_a_time_limit(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert [name for name, job in workflow["jobs"].items() if "timeout-minutes" not in job] == []


def test_the_sessions_of_ci_are_all_known() -> None:
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    named = {word for call in re.findall(r"noxw -s ([\w ]+)", text) for word in call.split()}
    assert named <= {session.name for session in SESSIONS}
