"""The pages: everything that a session found is there, and nothing breaks one."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_contracts import to_markdown
from report_page import BESIDE
from report_samples import HOSTILE, SHA, contracts, floors, parity, smoke
from report_speed import IN_WORDS
from write_report import main

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            if name in ("href", "src", "srcset", "data", "action"):
                self.addresses.append(str(value))
            if name == "id":
                self.ids.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def written(reports: Path, name: str = "index.html") -> str:
    assert main(["--reports", str(reports)]) == 0
    return (reports / name).read_text("utf-8")


def text_of(page: str) -> str:
    return " ".join(re.sub("<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL).split())


@pytest.mark.parametrize("name", ["index.html", "contracts.html"])
def test_a_page_needs_nothing_but_itself(reports: Path, name: str) -> None:
    page = written(reports, name)
    outline = Outline(page)
    assert outline.open == []
    elsewhere = [a for a in outline.addresses if not a.startswith(("#", "data:,"))]
    assert [a for a in elsewhere if not (reports / a).is_file()] == []
    assert not outline.tags & {"script", "iframe", "object", "embed", "base", "form"}
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.parametrize("name", ["index.html", "contracts.html"])
def test_what_came_from_a_test_or_a_line_is_escaped(reports: Path, name: str) -> None:
    page = written(reports, name)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["index.html", "contracts.html"])
def test_headings_go_down_one_step_at_a_time_and_ids_are_unique(reports: Path, name: str) -> None:
    outline = Outline(written(reports, name))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert len(outline.ids) == len(set(outline.ids))
    assert [a for a in outline.addresses if a[0] == "#" and a[1:] not in outline.ids] == []


def test_the_page_says_what_every_session_found(reports: Path) -> None:
    page = written(reports)
    text = text_of(page)
    for part in (
        "Parity ✗ FAILED 2 comparisons",
        "Smoke ✓ green 2 comparisons",
        "Contracts ✗ NOT PROVEN 2 passed, 1 failed, 1 missing",
        "Speed ✓ green 2 met",
        "P2 four worker processes against that loop, and against one process",
        "Beside it: contracts.md , and the same as JSON.",
        "P2 four processes by H ✓ met 1.13 at least 1.05",
        "P2 four processes by H ✓ met \N{EN DASH} at most 1.05x",
        "multiprocess ended with exit code 4",
        "exp_mp, memory 2,000 lines/s in 0.50 s",
        "✓ nothing lost 1,000 of 1,000 traces run whole",
        "exported by otel otlp 11,010",
        "sk-kernel 0.",
        "Python",
    ):
        assert part in text, part
    assert page.count(SHA) == 2 * (1 + 6) + 2 * (1 + 4)
    assert 'aria-label="Timeline of run smoke"' in page or "<figure" in page


def test_a_result_is_a_word_and_not_a_colour_only(reports: Path) -> None:
    marks = re.findall(r'<span class="verdict \w+">([^<]*)</span>', written(reports))
    assert marks
    assert all(re.fullmatch(r"[✓✗○] .{2,}", mark) for mark in marks)


def test_a_folder_without_anything_makes_a_whole_page(tmp_path: Path) -> None:
    page = written(tmp_path / "new")
    assert Outline(page).open == []
    for session in ("parity", "smoke", "contracts"):
        assert f"./noxw -s {session} makes this part." in text_of(page)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["index.html"]


@pytest.mark.parametrize("missing", ["parity.json", "smoke.json", "contracts.json"])
def test_a_session_that_did_not_run_is_one_line(reports: Path, missing: str) -> None:
    (reports / missing).unlink()
    page = written(reports)
    assert f"Not run yet: ./noxw -s {missing.removesuffix('.json')} makes this part." in page
    assert "○ not run" in page


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "no JSON"), ("[]", "of another version"), ('{"schema": 2}', "of another version")],
)
def test_a_report_that_cannot_be_read_is_one_line(reports: Path, content: str, says: str) -> None:
    (reports / "smoke.json").write_text(content)
    assert f"smoke.json is {says}: ./noxw -s smoke" in written(reports)


@pytest.mark.parametrize("content", ["", "no event\n", '{"sequence": 1}\n'])
def test_events_that_tell_no_timeline_are_one_line(reports: Path, content: str) -> None:
    (reports / "smoke-events.jsonl").write_text(content)
    assert "smoke-events.jsonl tells no timeline" in written(reports)


def test_a_speed_below_its_floor_is_told(reports: Path) -> None:
    (reports / "bench-short.json").write_text(json.dumps(floors(ok=False)))
    text = text_of(written(reports))
    assert "Speed ✗ FAILED" in text
    assert "P2 four processes by H ✗ BELOW THE FLOOR" in text


def test_speed_counts_what_is_met_and_missed_in_the_tables_below_it(reports: Path) -> None:
    bench = floors()
    bench["targets"] = [
        {**row, "id": "P3", "verdict": verdict, "floor": None}
        for row, verdict in zip(bench["targets"] * 2, ("missed", "missed", "met"), strict=False)
    ]
    (reports / "bench.json").write_text(json.dumps(bench))
    text = text_of(written(reports))
    assert "Speed ○ targets missed 3 met, 2 missed" in text
    assert len(re.findall("P[23] four processes by H", text)) == 5


def test_every_target_of_the_bench_is_said_in_words() -> None:
    table = Path(__file__).parents[2] / "bench" / "bench_target_table.py"
    ids = set(re.findall(r'"(P\d+)"', table.read_text("utf-8")))
    assert ids == set(IN_WORDS)


def test_a_file_that_is_not_there_is_not_named(reports: Path) -> None:
    (reports / "growth.md").write_text("# Growth\n")
    footer = written(reports).partition("<footer>")[2]
    assert [name for name in BESIDE if name in footer] == ["contracts.md", "growth.md"]


def test_green_sessions_are_told_as_green(reports: Path) -> None:
    for name, document in (("parity", parity()), ("contracts", contracts(ok=True))):
        (reports / f"{name}.json").write_text(json.dumps(document))
    text = text_of(written(reports))
    assert "Parity ✓ green" in text
    assert "Contracts ✓ green 2 passed" in text
    assert "✗" not in text


def test_a_smoke_that_traced_nothing_says_so(reports: Path) -> None:
    document = smoke()
    del document["telemetry"]
    (reports / "smoke.json").write_text(json.dumps(document))
    assert "The smoke run traced nothing." in written(reports)


def test_each_matrix_has_a_page_and_a_markdown_file_of_its_own(reports: Path) -> None:
    (reports / "contracts-phase2.json").write_text(json.dumps(contracts()))
    main(["--reports", str(reports)])
    for name in ("contracts", "contracts-phase2"):
        assert "PROC-03" in (reports / f"{name}.html").read_text("utf-8")
        assert "PROC-03" in (reports / f"{name}.md").read_text("utf-8")


def test_the_markdown_has_a_row_for_each_contract_and_a_column_for_each_engine() -> None:
    lines = to_markdown(contracts()).splitlines()
    [heading] = {line for line in lines if line.startswith("| id")}
    columns = heading.strip("| ").split(" | ")
    assert columns[4:8] == ["memory", "one_group", "four_groups", "several_workers"]
    rows = [line for line in lines if re.match(r"\| (CFG|PROC)", line)]
    assert len(rows) == 4
    assert all(len(re.split(r" (?<!\\)\| ", row)) == len(columns) for row in rows)


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a-file"
    file.touch()
    assert main(["--reports", str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
