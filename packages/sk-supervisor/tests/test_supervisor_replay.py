"""``sk replay``: a record's path as the run took it, and dead letters once more."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from letters_config import MODES, letters_config
from sk_kernel import read_letter
from sk_kernel.runtime import TraceIds, w3c_trace_id
from sk_supervisor._replay.call_recorder import glimpse
from sk_supervisor._replay.show import SHOWN, change, cut
from sk_supervisor.cli import main
from supervisor_harness import APPS, PATIENCE, Command, settings, written

Replayed = Callable[..., tuple[int, list[str], str]]

IDS = TraceIds("r1")
#: Replays a file of letters in a process that may open one more file.
ONE_FILE_MORE = """
import asyncio, errno, os, resource, sys
from sk_config import load_config
from sk_supervisor import prepare
from sk_supervisor._replay.letters import LetterOptions, replay_letters

prepared = prepare(load_config(sys.argv[1]))
lowest = os.open(os.devnull, os.O_RDONLY)
os.close(lowest)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
try:
    replay_letters(prepared, sys.argv[2], LetterOptions(False, False, 20))
except OSError as error:
    print(errno.errorcode[error.errno])
"""
_LINES = Path(APPS, "letters_app.py").read_text().splitlines()
_NUMBER = next(n for n, line in enumerate(_LINES, 1) if "raise ValueError" in line)
_PATH = str(Path(APPS, "letters_app.py")).removeprefix(os.path.join(os.getcwd(), ""))
#: The application's line that raises.
RAISED = f" ({_PATH}, line {_NUMBER})"
GOOD: dict[str, Any] = {name: {"on": []} for name in ("weigh", "split", "count", "render")}


@pytest.fixture
def replayed(tmp_path: Path, ask: Callable[..., tuple[int, str, str]]) -> Replayed:
    """Replay with a configuration: exit code, lines of output, standard error."""

    def replay(configuration: Any, *arguments: str) -> tuple[int, list[str], str]:
        code, out, err = ask("replay", written(tmp_path, configuration), *arguments)
        return code, out.splitlines(), err

    return replay


# ---- one record ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_record_is_shown_node_by_node_as_the_run_took_it(
    tmp_path: Path, replayed: Replayed, mode: str
) -> None:
    configuration = letters_config(tmp_path, mode)
    source = str(tmp_path / "in.txt")
    trace = IDS.of(33)
    code, out, err = replayed(configuration, "--trace", trace, "--run-id", "r1", "--input", source)
    assert (code, err) == (0, "")
    spans = out.index("spans")
    assert out[:spans] == [
        f"record 33 of run r1, trace {trace}",
        "source:source",
        "  out    Figure(n=33, text='')",
        "weigh",
        "  in     Figure(n=33, text='')",
        "  out    Weighed(n=33)",
        "split",
        "  in     Weighed(n=33)",
        "  out    [Part(n=33, side='left', digit=3), Part(n=33, side='right', digit=3)]",
        "count",
        "  in     Part(n=33, side='left', digit=3)",
        "  state  Counts[3]: 6 -> 7",
        "  out    Counted(n=33, side='left', count=7)",
        "count",
        "  in     Part(n=33, side='right', digit=3)",
        "  state  Counts[3]: 7 -> 8",
        "  raised ValueError('payload 33 is secret')",
        "render",
        "  in     Counted(n=33, side='left', count=7)",
        "  out    Row(text='33 33 left 7')",
        "sink:sink",
        "  in     Row(text='33 33 left 7')",
    ]
    tree = [re.sub(r" [0-9.]+ ms", "", line).rstrip() for line in out[spans:]]
    assert tree == [
        "spans",
        "└── source:source",
        "    └── weigh",
        "        └── split",
        "            ├── count",
        "            │   └── render",
        "            │       └── sink:sink",
        "            └── count raised ValueError",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "in.txt"]


def test_every_attempt_is_shown(tmp_path: Path, replayed: Replayed) -> None:
    configuration = letters_config(tmp_path)
    arguments = ("--trace", IDS.of(7), "--run-id", "r1")
    code, out, _ = replayed(configuration, *arguments)
    assert code == 0
    assert out.count("weigh") == 3
    assert "split" not in out


def test_a_record_that_ended_the_run_is_shown_to_its_end(
    tmp_path: Path, replayed: Replayed
) -> None:
    configuration = letters_config(tmp_path, bad={"count": {"on": [8]}})
    del configuration["runtime"]["failure"]
    code, out, _ = replayed(configuration, "--trace", IDS.of(8), "--run-id", "r1")
    assert code == 0
    assert "  raised ValueError('payload 8 is secret')" in out
    assert "the run ended here: node 'count' raised ValueError on record 8" in out
    # And nothing comes behind it.
    code, out, err = replayed(configuration, "--trace", IDS.of(9), "--run-id", "r1")
    assert (code, out) == (4, [])
    assert "error: node 'count' raised ValueError on record 8" in err


def test_a_trace_id_of_another_run_is_refused_at_once(tmp_path: Path, replayed: Replayed) -> None:
    configuration = letters_config(tmp_path)
    (tmp_path / "in.txt").unlink()
    for trace in (IDS.of(3), "secret", ""):
        code, out, err = replayed(configuration, "--trace", trace, "--run-id", "r2")
        assert (code, out) == (1, [])
        assert err.startswith(f"error: no record has the trace id '{trace}': it is none of run")


def test_a_shortened_trace_id_is_said_to_be_one(tmp_path: Path, replayed: Replayed) -> None:
    short = IDS.of(3)[:20]
    code, out, err = replayed(letters_config(tmp_path), "--trace", short, "--run-id", "r1")
    assert (code, out) == (1, [])
    whole = f"give the whole id (`sk trace FILE --trace {short}` prints it)"
    said = f"no record has the trace id '{short}': it has 20 of 32 hexadecimal digits: {whole}"
    assert err == f"error: {said}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "give one of --trace, --record and --dead-letter"),
        ("--trace a --dead-letter b", "give one of --trace, --record and --dead-letter"),
        ("--trace a --record 1 --run-id r", "give one of --trace, --record and --dead-letter"),
        ("--trace a", "--trace needs --run-id: the run that the record was in"),
        ("--trace a --run-id r --write", "--write goes with --dead-letter: --trace writes nothing"),
        (
            "--dead-letter a --run-id r",
            "--run-id goes with --trace or --record: a dead letter has its own",
        ),
        ("--record 1 --limit 3", "--limit goes with --dead-letter: --record shows one record"),
        (
            "--record 1 --remaining f",
            "--remaining goes with --dead-letter: --record runs no letters",
        ),
        (
            "--trace a --run-id r --show",
            "--show goes with --dead-letter: --trace shows payloads in any case",
        ),
        (
            "--dead-letter a --show --remaining f",
            "--remaining does not go with --show, which runs nothing",
        ),
        ("--record 1 --quiet", "--quiet goes with --dead-letter: --record prints no warnings"),
        (
            "--dead-letter a --show --quiet",
            "--quiet does not go with --show, which runs nothing",
        ),
        (
            "--trace a --output o --traceback",
            "--output goes with --dead-letter: --trace writes nothing",
        ),
    ],
)
def test_options_that_break_a_rule_are_told_that_rule_and_no_other(options: str, said: str) -> None:
    result = CliRunner().invoke(main, ["replay", "shop.yaml", *options.split()])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {said}"


def test_a_record_that_is_not_in_the_input_is_not_found(tmp_path: Path, replayed: Replayed) -> None:
    configuration = letters_config(tmp_path, bad=GOOD, count=30)
    code, _, err = replayed(configuration, "--trace", IDS.of(31), "--run-id", "r1")
    assert code == 1
    assert "run 'r1' has none in the 30 records of this input" in err


def test_an_input_that_cannot_be_read_ends_with_4(tmp_path: Path, replayed: Replayed) -> None:
    arguments = ("--trace", IDS.of(1), "--run-id", "r1", "--input", str(tmp_path / "none.txt"))
    code, _, err = replayed(letters_config(tmp_path), *arguments)
    assert code == 4
    assert "error: source:source failed to read: FileNotFoundError" in err


#: A text of no form, a UUID, an id of Trace Context, and none.
NAMED = ["Order-17", "6F9619FF-8B86-D011-B42D-00CF4FC964FF", "0af7651916cd43dd8448eb211c80319c", ""]


def named_config(bad: int = 0) -> dict[str, Any]:
    """An application whose source gives these trace ids; the record ``bad`` fails."""
    return {
        "version": 1,
        "scenario": "named",
        "runtime": {"discovery_modules": ["named_app"]},
        "nodes": {"pick": {"bad": bad}},
        "adapters": {
            "source": {"name": "named", "settings": {"traces": NAMED}},
            "sink": {"name": "picked"},
        },
    }


def test_where_records_bring_ids_of_their_own_a_shortened_one_is_looked_for(
    replayed: Replayed,
) -> None:
    arguments = ("--trace", NAMED[2][:8], "--run-id", "r1")
    code, _, err = replayed(named_config(), *arguments)
    assert code == 1
    assert "of this input; a shortened id is not enough" in err


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        *((given, n) for n, given in enumerate(NAMED[:3], 1)),
        *((w3c_trace_id(given), n) for n, given in enumerate(NAMED[:3], 1)),
        (NAMED[2].upper(), 3),
        (IDS.of(4), 4),
        (IDS.of(4).upper(), 4),
    ],
)
def test_a_record_is_found_by_the_id_its_source_gave_and_by_the_id_its_spans_have(
    replayed: Replayed, asked: str, found: int
) -> None:
    code, out, err = replayed(named_config(), "--trace", asked, "--run-id", "r1")
    assert (code, err) == (0, "")
    assert out[0] == f"record {found} of run r1, trace {asked}"


@pytest.mark.parametrize("asked", ["order-17", "Order-1", IDS.of(1)])
def test_a_record_goes_by_no_other_id(replayed: Replayed, asked: str) -> None:
    code, _, err = replayed(named_config(), "--trace", asked, "--run-id", "r1")
    assert code == 1
    assert f"no record has the trace id '{asked}'" in err


@pytest.mark.parametrize("bad", [1, 4])
def test_the_trace_that_a_failed_run_names_is_found(
    ask: Callable[..., tuple[int, str, str]], replayed: Replayed, bad: int
) -> None:
    code, _, err = ask("run", named_config(bad), "--run-id", "r1")
    assert code == 4
    (named,) = re.findall("run r1, trace ([0-9a-f]{32})$", err, re.MULTILINE)
    code, out, _ = replayed(named_config(bad), "--trace", named, "--run-id", "r1")
    assert code == 0
    assert f"  raised ValueError('payload {bad} is secret')" in out


@pytest.mark.parametrize("number", [1, 3, 4])
def test_a_record_is_found_by_its_number_whatever_id_its_source_gave(
    replayed: Replayed, number: int
) -> None:
    asked = ("--record", str(number))
    code, out, err = replayed(named_config(), *asked, "--run-id", "r1")
    assert (code, err) == (0, "")
    trace = w3c_trace_id(NAMED[number - 1]) if NAMED[number - 1] else IDS.of(number)
    assert out[0] == f"record {number} of run r1, trace {trace}"
    _, other, _ = replayed(named_config(), *asked)
    assert other[0] == f"record {number}"
    assert other[1] == out[1]


def test_a_number_that_no_record_of_the_input_has_is_an_error(replayed: Replayed) -> None:
    code, out, err = replayed(named_config(), "--record", "5")
    assert (code, out) == (1, [])
    assert err == "error: there is no record 5: this input has 4\n"


def test_what_fails_before_a_record_that_is_asked_for_by_number_is_told(replayed: Replayed) -> None:
    code, _, err = replayed(named_config(bad=1), "--record", "2")
    assert code == 4
    assert "error: node 'pick' raised ValueError on record 1, before record 2; its own" in err


def test_a_record_that_fails_before_the_wanted_one_is_said_to_be_that(replayed: Replayed) -> None:
    code, out, err = replayed(named_config(bad=1), "--trace", NAMED[1], "--run-id", "r1")
    assert (code, out) == (4, [])
    assert (
        "error: node 'pick' raised ValueError on record 1, before the record with the trace id"
        f" {NAMED[1]!r}; its own trace is {w3c_trace_id(NAMED[0])}\n" in err
    )


def test_a_source_without_a_path_refuses_an_input(
    tmp_path: Path, target: Path, replayed: Replayed
) -> None:
    arguments = ("--trace", IDS.of(1), "--run-id", "r1", "--input", "any")
    code, _, err = replayed(settings(target), *arguments)
    assert code == 2
    assert "adapters.source.settings.path" in err


# ---- dead letters --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lettered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that has left dead letters."""
    folder = tmp_path_factory.mktemp("lettered")
    command = Command(["run", written(folder, letters_config(folder)), "--run-id", "r1", "--quiet"])
    try:
        code, _, err = command.finish()
    finally:
        command.end()
    assert (code, err) == (0, "")
    return folder


@pytest.fixture
def dead(tmp_path: Path, lettered: Path) -> Path:
    """The dead letters of a run, beside its output, in a folder of the test's own."""
    shutil.copytree(lettered, tmp_path, dirs_exist_ok=True)
    written(tmp_path, letters_config(tmp_path))
    return tmp_path / "inline.dead"


def test_letters_that_fail_again_are_named_and_nothing_is_written(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    configuration = letters_config(tmp_path)
    code, out, err = replayed(configuration, "--dead-letter", str(dead))
    assert code == 1
    assert out[0] == f"{dead}: replayed 8: 0 succeeded, 8 failed; nothing was written"
    assert out[1:3] == [
        f"  record 7, node 'weigh': ValueError{RAISED}",
        f"  record 8, node 'count': ValueError{RAISED}",
    ]
    assert "secret" not in str(out)
    assert err == "warning: states are empty at the start of a replay: count (Counts)\n"
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_a_node_raised_is_shown_in_full_where_that_is_asked_for(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    _, out, _ = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--traceback")
    assert out[1:3] == [
        f"  record 7, node 'weigh': ValueError{RAISED}",
        "  Traceback (most recent call last):",
    ]
    assert "  ValueError: payload 7 is secret" in out
    assert "sk_kernel" not in str(out)


def test_of_letters_that_fail_again_as_many_are_shown_as_asked_for(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    _, out, _ = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--limit", "3")
    assert [line.split()[:2] for line in out[1:]] == [
        ["record", "7,"],
        ["record", "8,"],
        ["record", "14,"],
        ["and", "5"],
    ]
    assert out[-1] == "  and 5 more (--limit)"


# ---- what remains --------------------------------------------------------------------------------


def test_what_fails_again_remains_as_it_was_where_nothing_is_written(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    letters = dead.read_bytes().splitlines(keepends=True)
    configuration = letters_config(tmp_path, bad={**GOOD, "weigh": {"on": [14, 399]}})
    rest = tmp_path / "rest.jsonl"
    arguments = ("--dead-letter", str(dead), "--remaining", str(rest))
    code, out, _ = replayed(configuration, *arguments)
    assert code == 1
    assert out[-1] == f"{rest}: 2 remaining"
    assert rest.read_bytes().splitlines(keepends=True) == [letters[2], letters[-1]]
    assert rest.stat().st_mode & 0o777 == 0o600


def test_the_next_replay_takes_only_what_remains(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    rest = str(tmp_path / "rest.jsonl")
    bad = {**GOOD, "weigh": {"on": [14]}}
    replayed(letters_config(tmp_path, bad=bad), "--dead-letter", str(dead), "--remaining", rest)
    arguments = ("--dead-letter", rest, "--remaining", rest)
    code, out, _ = replayed(letters_config(tmp_path, bad=GOOD), *arguments)
    assert code == 0
    unwritten = "nothing was written (give --output or --write)"
    assert out == [
        f"{rest}: replayed 1: 1 succeeded, 0 failed; {unwritten}",
        f"{rest}: 0 remaining",
    ]
    assert Path(rest).read_bytes() == b""


def test_of_a_letter_that_came_through_in_part_only_the_rest_remains_behind_the_output(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    """Both replays together write each row once, though 7 fails behind the node of its letter."""
    rest, rows = tmp_path / "rest.jsonl", list[str]()
    bad = {**GOOD, "count": {"on": [7]}}
    for letters, name, nodes in ((dead, "one", bad), (rest, "two", GOOD)):
        configuration = letters_config(tmp_path, bad=nodes)
        target = tmp_path / name
        arguments = ("--dead-letter", str(letters), "--output", str(target))
        replayed(configuration, *arguments, "--remaining", str(rest))
        rows += [" ".join(row.split()[:3]) for row in target.read_text().splitlines()]
    whole = tmp_path / "whole"
    configuration = letters_config(tmp_path, bad=GOOD)
    replayed(configuration, "--dead-letter", str(dead), "--output", str(whole))
    assert sorted(rows) == sorted(
        " ".join(row.split()[:3]) for row in whole.read_text().splitlines()
    )
    assert len(set(rows)) == len(rows)
    assert rest.read_bytes() == b""


def test_what_remains_of_a_written_letter_is_a_letter_of_its_run_to_the_node_that_raised(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    rest = tmp_path / "rest.jsonl"
    configuration = letters_config(tmp_path, bad={**GOOD, "count": {"on": [7]}})
    arguments = ("--dead-letter", str(dead), "--output", str(tmp_path / "late"))
    replayed(configuration, *arguments, "--remaining", str(rest))
    before = read_letter(dead.read_bytes().splitlines()[0])
    (line,) = rest.read_bytes().splitlines()
    left = read_letter(line)
    assert (before.node, left.node, left.cause) == ("weigh", "count", "ValueError")
    assert (left.run_id, left.trace_id, left.sequence) == ("r1", before.trace_id, 7)
    assert left.key[: len(before.key)] == before.key


def test_a_quiet_replay_prints_its_result_and_no_warnings(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    code, out, err = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--quiet")
    assert (code, err) == (1, "")
    assert out[0] == f"{dead}: replayed 8: 0 succeeded, 8 failed; nothing was written"


def test_lines_that_are_no_letters_do_not_remain_and_that_is_said(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    lines = dead.read_bytes().splitlines(keepends=True)
    other = lines[0].replace(b'"run_id":"r1"', b'"run_id":"r2"')
    dead.write_bytes(lines[0] + b"no letter\n" + other.rstrip(b"\n"))
    rest = tmp_path / "rest.jsonl"
    arguments = ("--dead-letter", str(dead), "--remaining", str(rest))
    _, out, _ = replayed(letters_config(tmp_path, bad=GOOD), *arguments)
    assert out[-1] == f"{rest}: 1 remaining; of 1 lines that are no letters, none"
    assert rest.read_bytes() == other


def test_letters_that_what_remains_takes_the_place_of_are_kept_beside_it(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    before = dead.read_bytes()
    configuration = letters_config(tmp_path, bad={**GOOD, "weigh": {"on": [14]}})
    replayed(configuration, "--dead-letter", str(dead), "--remaining", str(dead))
    assert dead.read_bytes() == before.splitlines(keepends=True)[2]
    assert Path(f"{dead}.r1").read_bytes() == before


def test_a_replay_without_a_result_leaves_the_output_as_it_was(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    before = (tmp_path / "inline.out").read_bytes()
    code, out, _ = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--write")
    assert code == 1
    assert out[0] == f"{dead}: replayed 8: 0 succeeded, 8 failed; nothing was written"
    assert (tmp_path / "inline.out").read_bytes() == before
    assert not list(tmp_path.glob("inline.out.*"))


def test_where_the_sink_fails_what_remains_is_not_written(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    rest = tmp_path / "rest.jsonl"
    rest.write_text("as it was")
    (target := tmp_path / "taken").mkdir()
    configuration = letters_config(tmp_path, bad=GOOD)
    arguments = ("--dead-letter", str(dead), "--output", str(target))
    code, _, err = replayed(configuration, *arguments, "--remaining", str(rest))
    assert code == 4
    assert "sink:sink failed" in err
    assert rest.read_text() == "as it was"
    assert not list(tmp_path.glob("rest.jsonl.*"))


def test_a_place_for_what_remains_that_cannot_be_taken_is_told_before_anything_is_done(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    target = tmp_path / "late"
    arguments = ("--dead-letter", str(dead), "--output", str(target), "--remaining", str(tmp_path))
    code, out, err = replayed(letters_config(tmp_path), *arguments)
    assert (code, out) == (1, [])
    assert f"error: dead letters: cannot replace {tmp_path}: it is no regular file\n" in err
    assert not target.exists()


# ---- payloads ------------------------------------------------------------------------------------


def test_letters_are_shown_with_their_payloads_and_nothing_is_run(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    configuration = letters_config(tmp_path)
    code, out, err = replayed(configuration, "--dead-letter", str(dead), "--show", "--limit", "2")
    assert (code, err) == (0, "")
    assert out == [
        f"record 7, node 'weigh': ValueError, 3 attempts; trace {IDS.of(7)} of run r1",
        "  Figure(n=7, text='')",
        f"record 8, node 'count': ValueError; trace {IDS.of(8)} of run r1",
        "  Part(n=8, side='right', digit=8)",
        f"{dead}: 8 letters, 6 more (--limit)",
    ]


def test_what_envelopes_said_is_shown_with_a_letter(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    said = msgspec.json.decode(dead.read_bytes().splitlines()[0])
    said |= {"reply_to": "desk", "headers": {"tenant": "\x1b[2J"}}
    dead.write_bytes(msgspec.json.encode(said))
    _, out, _ = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--show")
    assert out[2:] == [
        "  reply to 'desk'",
        "  headers {'tenant': '\\x1b[2J'}",
        f"{dead}: 1 letter",
    ]


def test_a_letter_that_cannot_be_shown_is_named_and_the_others_are_shown(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    first, second = dead.read_bytes().splitlines()[:2]
    broken = msgspec.json.encode({**msgspec.json.decode(first), "payload": "AAAA"})
    dead.write_bytes(b"\n".join([b"no letter", broken, second]))
    code, out, _ = replayed(letters_config(tmp_path), "--dead-letter", str(dead), "--show")
    assert code == 1
    assert out[0].startswith("line 1: cannot read a line: JSON is malformed")
    assert out[1].startswith("line 2: cannot decode the letter of record 7 to node 'weigh': ")
    assert out[2].startswith("record 8, node 'count': ValueError")


def test_a_file_that_cannot_be_shown_is_an_error(tmp_path: Path, replayed: Replayed) -> None:
    code, _, err = replayed(letters_config(tmp_path), "--dead-letter", "none", "--show")
    assert code == 1
    assert err.startswith("error: dead letters: cannot read none: ")


# ---- what comes through --------------------------------------------------------------------------


def test_an_option_that_is_a_setting_is_named_where_an_adapter_has_none(
    tmp_path: Path, replayed: Replayed
) -> None:
    configuration = settings(tmp_path / "out.txt", mode="inline", groups=())
    configuration["adapters"]["sink"] = {"name": "printed"}
    code, _, err = replayed(configuration, "--dead-letter", "dead", "--output", "x.txt")
    assert code == 2
    assert "  --output needs an adapter that has a setting 'path'" in err.splitlines()


def test_letters_that_come_through_are_written_where_they_are_told_to(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    out_before = (tmp_path / "inline.out").read_bytes()
    configuration = letters_config(tmp_path, bad={**GOOD, "weigh": {"on": [399]}})
    target = tmp_path / "replayed.txt"
    arguments = ("--dead-letter", str(dead), "--output", str(target))
    code, out, _ = replayed(configuration, *arguments)
    assert code == 1
    assert out == [
        f"{dead}: replayed 8: 7 succeeded, 1 failed; 9 records written",
        f"  record 399, node 'weigh': ValueError{RAISED}",
    ]
    # From their node on: a part of 8 and 33 had come through, both of 40 had been counted.
    assert target.read_text().splitlines() == [
        "7 7 left 1",
        "7 7 right 2",
        "8 8 right 1",
        "14 14 left 1",
        "14 14 right 2",
        "33 33 right 1",
        "40 40 left 7",
        "40 40 right 8",
        "200 200 right 1",
    ]
    assert (tmp_path / "inline.out").read_bytes() == out_before


def test_write_is_to_the_sink_as_configured(tmp_path: Path, dead: Path, replayed: Replayed) -> None:
    configuration = letters_config(tmp_path, bad=GOOD)
    arguments = ("--dead-letter", str(dead), "--write")
    code, _, _ = replayed(configuration, *arguments)
    assert code == 0
    assert len((tmp_path / "inline.out").read_text().splitlines()) == 11


def test_lines_that_are_no_letters_are_failures(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    lines = dead.read_bytes().splitlines(keepends=True)
    other = lines[0].replace(b'"run_id":"r1"', b'"run_id":"r2"')
    moved = lines[0].replace(b'"node":"weigh"', b'"node":"render"')
    broken = msgspec.json.decode(lines[0])
    broken["payload"] = "AAAA"
    dead.write_bytes(
        lines[0]
        + b"no letter\n"
        + other
        + moved
        + msgspec.json.encode(broken)
        + b'\n{"node":"\xff"}\n'
    )
    code, out, _ = replayed(letters_config(tmp_path, bad=GOOD), "--dead-letter", str(dead))
    assert code == 1
    assert out[0].endswith(
        "replayed 6: 1 succeeded, 5 failed; nothing was written (give --output or --write)"
    )
    assert out[1].startswith("  line 2: JSON is malformed: ")
    assert "it is of another run (r2) than the first" in out[2]
    assert "no node 'render' is given letters_app.Figure here" in out[3]
    assert "cannot decode" in out[4]
    assert out[5] == "  line 6: it is no JSON text"


def test_a_file_whose_first_line_is_no_letter_is_named_with_it(
    tmp_path: Path, replayed: Replayed
) -> None:
    path = tmp_path / "dead"
    path.write_bytes(b'{"run_id":"\xff"}\n')
    code, _, err = replayed(letters_config(tmp_path), "--dead-letter", str(path))
    assert code == 1
    assert f"error: dead letters: cannot read {path}, line 1: it is no JSON text\n" in err


@pytest.mark.parametrize(("name", "why"), [("none", "[Errno 2]"), (".", "it is a folder, and")])
def test_what_cannot_be_read_is_named_and_nothing_else_is_said(
    tmp_path: Path, replayed: Replayed, name: str, why: str
) -> None:
    path = str(tmp_path / name)
    code, out, err = replayed(letters_config(tmp_path), "--dead-letter", path)
    assert (code, out) == (1, [])
    said = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert [line.partition(why)[0] for line in said] == [
        f"error: dead letters: cannot read {path}: "
    ]


def test_the_folder_of_a_run_that_was_cut_short_is_replayed_as_its_file_is(
    tmp_path: Path, dead: Path, replayed: Replayed
) -> None:
    """In the order of the letters, whichever worker wrote them; a line cut off is none of them."""
    lines = dead.read_bytes().splitlines(keepends=True)
    folder = tmp_path / "inline.dead.x.parts"
    folder.mkdir()
    (folder / "in-0.1.0.part").write_bytes(b"".join(lines[1::2]) + lines[0][:40])
    (folder / "out-0.1.3.part").write_bytes(b"".join(lines[::2]))
    configuration = letters_config(tmp_path)
    _, file, _ = replayed(configuration, "--dead-letter", str(dead))
    code, parts, _ = replayed(configuration, "--dead-letter", str(folder))
    assert code == 1
    assert parts[1:] == file[1:]


def test_an_os_error_of_something_else_is_not_told_as_one_of_the_file(tmp_path: Path) -> None:
    """There is a descriptor left for the file, and none for the event loop of the nodes."""
    (tmp_path / "dead").touch()
    configuration = written(tmp_path, letters_config(tmp_path))
    found = subprocess.run(
        [sys.executable, "-c", ONE_FILE_MORE, configuration, str(tmp_path / "dead")],
        env={**os.environ, "PYTHONPATH": str(APPS)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert found.stdout == "EMFILE\n", found.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--trace", "t", "--dead-letter", "f"),
        ("--trace", "t"),
        ("--trace", "t", "--run-id", "r", "--write"),
        ("--dead-letter", "f", "--input", "i"),
        ("--dead-letter", "f", "--run-id", "r"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, replayed: Replayed, arguments: tuple[str, ...]
) -> None:
    code, _, err = replayed(letters_config(tmp_path), *arguments)
    assert code == 2
    assert "Usage:" in err


# ---- what is shown -------------------------------------------------------------------------------


class _Kept:
    __slots__ = ("by_key", "seen", "total")

    def __init__(self) -> None:
        self.by_key = {"a": 1}
        self.seen = {1, 2}
        self.total = 3


def test_a_glimpse_of_a_state_is_of_its_key_and_cheap() -> None:
    assert glimpse({"a": [1]}, ("a",)) == "[1]"
    assert glimpse({"a": [1]}, ("b",)) == ""
    assert glimpse({"a": [1]}, None) == "<dict of 1>"
    assert glimpse(_Kept(), ("a",)) == "by_key=1, seen=<set of 2>, total=3"
    assert glimpse(_Kept(), None) == "by_key=<dict of 1>, seen=<set of 2>, total=3"


def test_a_change_in_a_large_state_is_shown_where_it_is() -> None:
    assert change("1", "2") == "1 -> 2"
    assert change("", "1") == "nothing -> 1"
    assert change("1", "1") == "1"
    shown = change("x" * 10_000 + "1" + "y" * 10_000, "x" * 10_000 + "2" + "y" * 10_000)
    assert shown.startswith("\u2026" + "x" * 60 + "1y")
    assert " -> \u2026" + "x" * 60 + "2y" in shown
    assert len(shown) < 2 * SHOWN + 20


def test_a_large_payload_is_cut() -> None:
    assert cut("x" * (SHOWN - 2)) == repr("x" * (SHOWN - 2))
    shown = cut("x" * 10_000)
    assert len(shown) < SHOWN + 40
    assert shown.endswith("… (10,002 characters)")
