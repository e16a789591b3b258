"""``sk replay --output`` writes nowhere else; and what nodes hold that do not finish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import read_letter
from supervisor_harness import written

Replayed = Callable[..., tuple[int, list[str], str]]


def kept_config(folder: Path, bad: tuple[int, ...]) -> dict[str, Any]:
    places = {"path": str(folder / "rows.txt"), "log": str(folder / "log.txt")}
    return {
        "version": 1,
        "scenario": "kept",
        "runtime": {
            "discovery_modules": ["kept_app"],
            "failure": {
                "default": {"policy": "dead_letter", "attempts": 2},
                "dead_letter": {"path": str(folder / "dead.jsonl")},
            },
        },
        "nodes": {"pick": {"on": list(bad)}},
        "adapters": {
            "source": {"name": "numbers", "settings": {"count": 9}},
            "sink": {"name": "kept_rows", "settings": places},
        },
    }


@pytest.fixture
def replayed(tmp_path: Path, ask: Callable[..., tuple[int, str, str]]) -> Replayed:
    """Replay what a run over numbers left of 4, 6 and 7, which come through now."""
    code, _, err = ask("run", kept_config(tmp_path, (4, 6, 7)), "--quiet")
    assert (code, err) == (0, "")

    def replay(*arguments: str, bad: tuple[int, ...] = ()) -> tuple[int, list[str], str]:
        configuration = written(tmp_path, kept_config(tmp_path, bad))
        letters = str(tmp_path / "dead.jsonl")
        code, out, err = ask("replay", configuration, "--dead-letter", letters, *arguments)
        return code, out.splitlines(), err

    return replay


def setting(name: str, value: object) -> tuple[str, str]:
    return "--set", f"adapters.sink.settings.{name}={value}"


# ---- where it writes -----------------------------------------------------------------------------


def test_an_output_is_refused_where_the_sink_may_write_to_more(
    tmp_path: Path, replayed: Replayed
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".json"}
    code, out, err = replayed("--output", str(tmp_path / "late.txt"))
    assert (code, out) == (2, [])
    said = err.splitlines()
    assert said[0].startswith("error: --output sets the sink's `path` alone, and these may say")
    assert said[1:3] == [
        "  --set adapters.sink.settings.log=VALUE",
        "  --set adapters.sink.settings.more.main=VALUE",
    ]
    assert len(said) == 4
    after = {path: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".json"}
    assert after == before


def test_an_output_is_written_where_every_other_place_is_given(
    tmp_path: Path, replayed: Replayed
) -> None:
    log = (tmp_path / "log.txt").read_text()
    late, other = tmp_path / "late.txt", tmp_path / "late.log"
    given = (*setting("log", other), *setting("more", "{main: right.txt}"))
    replayed("--output", str(late), *given)
    assert "told 4" in late.read_text()
    assert other.exists()
    assert (tmp_path / "log.txt").read_text() == log


def test_the_value_that_a_setting_has_is_given_by_saying_it_again(
    tmp_path: Path, replayed: Replayed
) -> None:
    given = (*setting("log", tmp_path / "log.txt"), *setting("more.main", "left.txt"))
    replayed("--output", str(tmp_path / "late.txt"), *given)
    assert "told 4" in (tmp_path / "late.txt").read_text()


def test_with_write_all_but_the_path_is_as_configured(tmp_path: Path, replayed: Replayed) -> None:
    rows, log = (tmp_path / "rows.txt").read_text(), (tmp_path / "log.txt").read_text()
    replayed("--output", str(tmp_path / "late.txt"), "--write")
    assert "told 4" in (tmp_path / "late.txt").read_text()
    assert (tmp_path / "rows.txt").read_text() == rows
    assert (tmp_path / "log.txt").read_text() != log


def test_the_sink_is_closed_behind_its_commit(tmp_path: Path, replayed: Replayed) -> None:
    replayed("--output", str(tmp_path / "late.txt"), "--write")
    assert (tmp_path / "late.ended").read_text() == "commit"


def test_a_sink_that_fails_is_closed_behind_its_abort(tmp_path: Path, replayed: Replayed) -> None:
    (tmp_path / "late").mkdir()
    code, _, _ = replayed("--output", str(tmp_path / "late"), "--write")
    assert code == 4
    assert (tmp_path / "late.ended").read_text() == "commit abort"


# ---- what is held --------------------------------------------------------------------------------


def test_what_nodes_hold_that_do_not_finish_has_not_come_through_and_is_told(
    replayed: Replayed,
) -> None:
    code, out, err = replayed(bad=(7,))
    assert code == 1
    assert out[0].endswith("replayed 3: 0 succeeded, 1 failed, 2 held; nothing was written")
    assert out[2:] == [
        "  'add_up', which does not finish in a replay, holds 2 records",
        "  'in_pairs', which does not finish in a replay, holds 1 record",
    ]
    lost = "what these nodes would emit then is in no output"
    assert f"warning: finish() is not called in a replay; {lost}: " in err


def test_what_is_in_no_output_for_sure_remains_and_nothing_is_written_twice(
    tmp_path: Path, replayed: Replayed
) -> None:
    """``in_pairs`` has given 4 with 6, so that neither is given by a second replay."""
    late, rest = tmp_path / "late.txt", tmp_path / "rest.jsonl"
    code, out, _ = replayed("--output", str(late), "--write", "--remaining", str(rest), bad=(7,))
    assert (code, out[-1]) == (1, f"{rest}: 3 remaining")
    assert sorted(late.read_text().splitlines()) == ["pair [4, 6]", "told 4", "told 6"]
    left = [read_letter(line) for line in rest.read_bytes().splitlines()]
    assert [(letter.sequence, letter.node, letter.cause) for letter in left] == [
        (4, "add_up", "HeldForFinishError"),
        (6, "add_up", "HeldForFinishError"),
        (7, "pick", "ValueError"),
    ]


def test_where_nothing_is_written_a_held_letter_remains_as_it_was(
    tmp_path: Path, replayed: Replayed
) -> None:
    rest = tmp_path / "rest.jsonl"
    code, out, _ = replayed("--remaining", str(rest))
    assert (code, out[-1]) == (1, f"{rest}: 3 remaining")
    assert rest.read_bytes() == (tmp_path / "dead.jsonl").read_bytes()
