"""Failure policies: what a node that raises costs, and what is written of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Any

import pytest
from kernel_spans import Collected
from msgspec.structs import replace
from sk_kernel import (
    ApplicationSpec,
    DeadLetterError,
    DeadLettersLeftError,
    FailureSpec,
    NodeFailedError,
    NodeFailure,
    NodeOutputError,
    PreflightError,
    read_letter,
)
from sk_kernel.runtime import (
    BatchLimits,
    DeadLetterFile,
    MemoryRun,
    letter_file_faults,
    letter_part,
    payload_of,
)
from sk_kernel.testing import run_application, run_placed
from sk_kernel.testing._applications import substituted

STRAIGHT = """
calls = []

@node
def first(a: A) -> B:
    calls.append(("first", a.n))
    if a.n in bad.get("first", ()): raise ValueError("secret")
    return B(a.n)

@node
def second(b: B, context: Context) -> C:
    calls.append(("second", b.n))
    if b.n in bad.get("second", ()): raise StopIteration("secret")
    return C(b.n)

@node
async def third(c: C) -> D:
    calls.append(("third", c.n))
    if c.n in bad.get("third", ()): raise KeyError("secret")
    return D(str(c.n))
"""

SHARED = """
@state(key=None)
class Seen:
    def __init__(self): self.log = []

@node
def reads(a: A, seen: Seen) -> B:
    if a.n in bad.get("reads", ()): raise ValueError("secret")
    return B(len(seen.log))

@node
def between(b: B) -> C:
    return C(b.n)

@node
def writes(c: C, seen: Seen) -> D:
    seen.log.append(c.n)
    if c.n in bad.get("writes", ()): raise OSError("secret")
    return D(f"{c.n}")
"""

Make = Callable[..., ApplicationSpec]


@pytest.fixture
def made(declare: Any, tmp_path: Path) -> Make:
    """Declares a module whose nodes raise on ``bad`` numbers; its spec, with these policies."""

    def make(text: str, bad: dict[str, Any], **policies: NodeFailure) -> ApplicationSpec:
        module = declare(text, bad=bad)
        failure = FailureSpec(nodes=policies, dead_letters=str(tmp_path / "dead.jsonl"))
        return ApplicationSpec(
            scenario="tests", discovery_modules=[module.__name__], failure=failure
        )

    return make


def _module(spec: ApplicationSpec) -> Any:
    return sys.modules[spec.discovery_modules[0]]


def _given(spec: ApplicationSpec, count: int = 9) -> list[Any]:
    return [_module(spec).A(n) for n in range(1, count + 1)]


def _letters(spec: ApplicationSpec) -> list[dict[str, Any]]:
    assert spec.failure.dead_letters is not None
    return [json.loads(line) for line in Path(spec.failure.dead_letters).read_bytes().splitlines()]


DEAD, SKIP = NodeFailure("dead_letter"), NodeFailure("skip")


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_run_goes_on_without_the_records_that_are_given_up(made: Make, batch: int) -> None:
    bad = {"first": {2}, "second": {4}, "third": {6, 7}}
    spec = made(STRAIGHT, bad, first=DEAD, second=SKIP, third=DEAD)
    out = run_application(spec, _given(spec), batch_records=batch)
    assert [d.text for d in out] == ["1", "3", "5", "8", "9"]
    found = [(x["sequence"], x["node"], x["cause"]) for x in _letters(spec)]
    assert found == [(2, "first", "ValueError"), (6, "third", "KeyError"), (7, "third", "KeyError")]


@pytest.mark.parametrize("batch", [1, 3, 100])
@pytest.mark.parametrize("name", ["first", "second", "third"])
def test_attempts_are_calls_in_all_and_nobody_else_is_called_again(
    made: Make, name: str, batch: int
) -> None:
    spec = made(STRAIGHT, {name: {2, 9}}, **{name: NodeFailure("dead_letter", 3)})
    run_application(spec, _given(spec), batch_records=batch)
    calls = [n for called, n in _module(spec).calls if called == name]
    assert {n: calls.count(n) for n in calls} == dict.fromkeys(range(1, 10), 1) | {2: 3, 9: 3}
    assert [x["attempts"] for x in _letters(spec)] == [3, 3]


def test_a_record_that_comes_through_at_a_later_attempt_is_no_loss(made: Make) -> None:
    text = """
    tried = []

    @node
    def flaky(a: A) -> D:
        tried.append(a.n)
        if tried.count(a.n) < 3 and a.n % 2: raise ConnectionError
        return D(str(a.n))
    """
    spec = made(text, {}, flaky=NodeFailure("skip", 3))
    out = run_application(spec, _given(spec, 4))
    assert [d.text for d in out] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("traced", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("batch", [1, 2, 100])
def test_a_state_keeps_what_a_node_did_before_it_raised(
    made: Make, batch: int, traced: float
) -> None:
    spec = made(SHARED, {"reads": {3}, "writes": {2}}, reads=DEAD, writes=DEAD)
    seen = [Collected()] if traced else []
    out = run_application(
        spec, _given(spec, 6), batch_records=batch, observers=seen, sampling_ratio=traced
    )
    # Record 4 finds two entries; writes has appended the second of them, and raises on it.
    assert [d.text for d in out] == ["0", "1", "3", "4"]
    assert [(x["sequence"], x["node"]) for x in _letters(spec)] == [(3, "reads"), (4, "writes")]
    # The letter holds what the node itself was given, in the middle of its unit.
    letter = read_letter(Path(spec.failure.dead_letters or "").read_bytes().splitlines()[1])
    graph = substituted(spec, _given(spec), {})[0].graph
    assert payload_of(graph, letter)[1] == _module(spec).C(2)


@pytest.mark.parametrize("traced", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("batch", [1, 2, 100])
def test_whoever_comes_behind_a_loss_keeps_its_place(made: Make, batch: int, traced: float) -> None:
    text = """
    @state(key=None)
    class Seen:
        pass

    @node
    def reads(a: A, seen: Seen) -> B:
        if a.n in bad["reads"]: raise ValueError
        return B(a.n)

    @node
    def writes(b: B, seen: Seen) -> C:
        if b.n in bad["writes"]: raise ValueError
        return C(b.n)

    @node
    def tells(c: C, context: Context) -> D:
        if c.n in bad["tells"]: raise ValueError
        return D(f"{context.sequence}:{c.n}")
    """
    bad = {"reads": {1, 4, 9}, "writes": {2, 6}, "tells": {5}}
    spec = made(text, bad, reads=SKIP, writes=SKIP, tells=DEAD)
    seen = [Collected()] if traced else []
    out = run_application(
        spec, _given(spec), batch_records=batch, observers=seen, sampling_ratio=traced
    )
    assert [d.text for d in out] == ["3:3", "7:7", "8:8"]
    assert [x["sequence"] for x in _letters(spec)] == [5]


@pytest.mark.parametrize("text", [STRAIGHT, SHARED])
def test_the_span_of_a_record_that_is_given_up_says_why(made: Make, text: str) -> None:
    name = "first" if text is STRAIGHT else "reads"
    spec = made(text, {name: {2}}, **{name: SKIP})
    seen = Collected()
    run_application(spec, _given(spec, 3), observers=[seen])
    errors = [(s.name, s.sequence, s.error) for s in seen.spans if s.error]
    assert errors == [(name, 2, "ValueError")]
    assert [s.sequence for s in seen.spans if s.name == name] == [1, 2, 3]


def test_a_letter_holds_no_text_of_the_error_and_its_payload_comes_back(made: Make) -> None:
    spec = made(STRAIGHT, {"second": {5}}, second=DEAD)
    run_application(spec, _given(spec), run_id="r7")
    (line,) = Path(spec.failure.dead_letters or "").read_bytes().splitlines()
    assert b"secret" not in line
    letter = read_letter(line)
    assert (letter.run_id, letter.key, letter.attempts) == ("r7", (5,), 1)
    edge, payload = payload_of(substituted(spec, _given(spec), {})[0].graph, letter)
    assert (edge.consumer, payload) == ("second", _module(spec).B(5))


def test_a_letter_keeps_what_envelopes_said(made: Make) -> None:
    text = """
    @node
    def names(a: A) -> Envelope[B]:
        return Envelope(B(a.n), trace_id="ab" * 16, reply_to="me", headers={"h": "1"})

    @node
    def fails(b: B) -> D:
        raise ValueError
    """
    spec = made(text, {}, fails=DEAD)
    assert run_application(spec, _given(spec, 1)) == []
    (letter,) = _letters(spec)
    told = letter["trace_id"], letter["reply_to"], letter["headers"]
    assert told == ("ab" * 16, "me", {"h": "1"})


def test_a_branch_that_raises_takes_no_other_with_it(made: Make) -> None:
    text = """
    @node
    def several(a: A) -> list[B]:
        return [B(a.n), B(a.n), B(a.n + 1)]

    @node
    def picky(b: B) -> D:
        if b.n in bad["picky"]: raise ValueError
        return D(f"picky {b.n}")

    @node
    def easy(b: B) -> D:
        return D(f"easy {b.n}")
    """
    spec = made(text, {"picky": {1}}, picky=DEAD)
    out = [d.text for d in run_application(spec, _given(spec, 1))]
    assert out == ["easy 1", "easy 1", "picky 2", "easy 2"]
    assert [x["key"] for x in _letters(spec)] == [[1, 0, 0], [1, 1, 0]]


def test_the_policy_fail_ends_the_run_and_leaves_the_old_file(made: Make) -> None:
    spec = made(STRAIGHT, {"first": {2}, "second": {5}}, first=DEAD)
    old = Path(spec.failure.dead_letters or "")
    old.write_text("old")
    run = MemoryRun(substituted(spec, _given(spec), {})[0], "r1")
    with pytest.raises(NodeFailedError) as caught:
        run.run()
    assert (caught.value.node, caught.value.sequence) == ("second", 5)
    assert old.read_text() == "old"
    assert run.partial_outputs() == ()
    assert list(old.parent.iterdir()) == [old]


def test_a_run_that_fails_later_names_what_it_had_written(made: Make) -> None:
    spec = made(STRAIGHT, {"first": {2}, "second": {5}}, first=DEAD)
    with pytest.raises(NodeFailedError):
        run_application(spec, _given(spec), batch_records=3)
    (folder,) = Path(spec.failure.dead_letters or "").parent.iterdir()
    (part,) = folder.iterdir()
    assert read_letter(part.read_bytes()).sequence == 2


def test_a_completed_run_without_letters_has_an_empty_file(made: Make) -> None:
    spec = made(STRAIGHT, {}, first=DEAD)
    Path(spec.failure.dead_letters or "").write_text("of an earlier run")
    run_application(spec, _given(spec))
    assert _letters(spec) == []


def test_a_run_that_was_stopped_has_its_letters_in_the_file(made: Make) -> None:
    """A record that was given up is a fact, whether or not the sink commits."""
    spec = made(STRAIGHT, {"first": {2}}, first=DEAD)
    context = substituted(spec, _given(spec), {})[0]
    run = MemoryRun(context, "r1", limits=BatchLimits(3), on_progress=lambda _: run.stop())
    assert run.run().outcome == "stopped"
    assert [x["sequence"] for x in _letters(spec)] == [2]
    assert run.partial_outputs() == ()


def test_the_report_counts_what_was_given_up(made: Make) -> None:
    spec = made(STRAIGHT, {"first": {1, 2}, "second": {3}}, first=DEAD, second=SKIP)
    told: list[Any] = []
    context = substituted(spec, _given(spec), {})[0]
    report = MemoryRun(context, "r1", on_progress=told.append).run()
    assert (report.dead_lettered, report.skipped, report.records_out) == (2, 1, 6)
    assert (told[-1].dead_lettered, told[-1].skipped) == (2, 1)


def test_what_a_node_gives_wrongly_ends_the_run_under_every_policy(made: Make) -> None:
    text = """
    @node
    def wrong(a: A) -> D:
        return B(a.n)
    """
    spec = made(text, {}, wrong=SKIP)
    with pytest.raises(NodeOutputError):
        run_application(spec, _given(spec))


def test_a_finish_that_raises_ends_the_run_under_every_policy(made: Make) -> None:
    text = """
    @node
    class Ends:
        def __call__(self, a: A) -> D:
            return D(str(a.n))

        def finish(self) -> D:
            raise ValueError
    """
    spec = made(text, {}, ends=SKIP)
    with pytest.raises(NodeFailedError):
        run_application(spec, _given(spec))


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_payload_that_cannot_be_written_down_ends_the_run(made: Make, kind: str) -> None:
    text = f"""
    @node
    def big(a: A) -> B:
        return B(1 << 70)

    @node
    {kind} fails(b: B) -> D:
        raise ValueError
    """
    spec = made(text, {}, fails=DEAD)
    with pytest.raises(DeadLetterError) as caught:
        run_application(spec, _given(spec, 1))
    assert caught.value.action == "encode"


# ---- preflight -----------------------------------------------------------------------------------


def _faults(spec: ApplicationSpec) -> list[tuple[str, str]]:
    with pytest.raises(PreflightError) as caught:
        substituted(spec, _given(spec), {})
    return [(fault.path, fault.category) for fault in caught.value.faults]


def test_a_policy_for_a_stranger_is_refused(made: Make) -> None:
    spec = made(STRAIGHT, {}, frist=SKIP)
    assert _faults(spec) == [("runtime.failure.nodes.frist", "unknown_node")]


def test_no_node_of_a_state_unit_is_called_again(made: Make) -> None:
    twice = NodeFailure("skip", 2)
    spec = made(SHARED, {}, reads=twice, between=twice)
    assert _faults(spec) == [
        ("runtime.failure.nodes.between.attempts", "retry"),
        ("runtime.failure.nodes.reads.attempts", "retry"),
    ]


def test_a_default_that_calls_states_again_is_refused_at_the_default(made: Make) -> None:
    spec = made(SHARED, {}, reads=SKIP, between=SKIP)
    spec = replace(spec, failure=replace(spec.failure, default=NodeFailure("skip", 2)))
    assert _faults(spec) == [("runtime.failure.default.attempts", "retry")]


def test_a_dead_letter_needs_a_payload_with_bytes(made: Make) -> None:
    text = """
    class Opaque:
        pass

    @node
    def opens(a: A) -> Opaque:
        return Opaque()

    @node
    def fails(o: Opaque) -> D:
        raise ValueError
    """
    assert _faults(made(text, {}, fails=DEAD)) == [("opens", "not_portable")]
    spec = made(text, {}, fails=SKIP)
    assert run_application(spec, _given(spec)) == []


def test_dead_letters_need_a_folder_that_may_be_written_to(tmp_path: Path) -> None:
    failure = FailureSpec(NodeFailure("dead_letter"), dead_letters=str(tmp_path / "letters"))
    assert list(letter_file_faults(failure)) == []
    (fault,) = letter_file_faults(failure, may=lambda path, _: path != str(tmp_path))
    assert (fault.category, fault.expected) == (
        "bad_value",
        "a file in a folder that can be written to",
    )


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("a\0b", "'a\\x00b': it is a text that is no path"),
        ("\ud800", "'\\ud800': it is a text that is no path"),  # no encoding has this letter
        ("dead", "dead: it is relative, and the working directory is gone"),
    ],
    ids=ascii,
)
def test_dead_letters_need_a_path_that_the_system_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, got: str
) -> None:
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (fault,) = letter_file_faults(FailureSpec(NodeFailure("dead_letter"), dead_letters=path))
    assert (fault.path, fault.category) == ("runtime.failure.dead_letter.path", "bad_value")
    assert str(fault.got).startswith(got)
    with pytest.raises(DeadLetterError, match="cannot open"):
        DeadLetterFile(FailureSpec(NodeFailure("dead_letter"), dead_letters=path))


def test_dead_letters_need_a_name_that_their_folder_of_parts_can_be_named_after(
    tmp_path: Path,
) -> None:
    most = os.pathconf(tmp_path, "PC_NAME_MAX") - len(".abcdefgh.parts")
    longest = FailureSpec(NodeFailure("dead_letter"), dead_letters=str(tmp_path / ("x" * most)))
    assert list(letter_file_faults(longest)) == []
    assert os.path.isdir(DeadLetterFile(longest).open())
    longer = replace(longest, dead_letters=f"{longest.dead_letters}x")
    (fault,) = letter_file_faults(longer)
    assert fault.expected == f"a file's name of at most {most} bytes"
    with pytest.raises(DeadLetterError, match="File name too long"):
        DeadLetterFile(longer).open()


def test_dead_letters_need_a_file_in_a_folder_that_exists(made: Make, tmp_path: Path) -> None:
    spec = made(STRAIGHT, {}, first=DEAD)
    without = replace(spec, failure=replace(spec.failure, dead_letters=None))
    assert _faults(without) == [("runtime.failure.dead_letter.path", "missing")]
    for path in (tmp_path / "none" / "dead", tmp_path):
        nowhere = replace(spec, failure=replace(spec.failure, dead_letters=str(path)))
        context = substituted(nowhere, _given(spec), {})[0]
        with pytest.raises(PreflightError, match=r"runtime\.failure\.dead_letter\.path: bad_value"):
            context.run_checks()


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_dead_letters_take_the_place_of_a_file_and_of_nothing_else(
    made: Make, tmp_path: Path, kind: str
) -> None:
    spec = made(STRAIGHT, {"first": [1]}, first=DEAD)
    path, pipe = tmp_path / "dead", tmp_path / "pipe"
    os.mkfifo(pipe)
    path.symlink_to(pipe if kind == "pipe" else tmp_path / "target")
    spec = replace(spec, failure=replace(spec.failure, dead_letters=str(path)))
    context = substituted(spec, _given(spec), {})[0]
    if kind == "link":
        context.run_checks()
        MemoryRun(context, "r").run()
        assert (tmp_path / "target").read_text().count("\n") == 1
    else:
        with pytest.raises(PreflightError, match="a device, a pipe or a socket"):
            context.run_checks()
        with pytest.raises(DeadLetterError, match="no regular file"):
            MemoryRun(context, "r").run()
        assert pipe.is_fifo()
    assert path.is_symlink()


def staged(target: Path) -> DeadLetterFile:
    """Dead letters for a place that was free, and that a pipe has taken since."""
    letters = DeadLetterFile(FailureSpec(NodeFailure("dead_letter"), {}, str(target)))
    letters.open()
    letters.stage()
    os.mkfifo(target)
    return letters


def test_what_has_come_since_is_not_replaced_by_dead_letters(tmp_path: Path) -> None:
    target = tmp_path / "dead"
    letters = staged(target)
    with pytest.raises(DeadLetterError, match="no regular file"):
        letters.commit()
    assert target.is_fifo()


def test_letters_that_are_left_behind_a_commit_say_that_there_are_none_where_that_is_so(
    tmp_path: Path,
) -> None:
    letters = staged(tmp_path / "dead")
    with (
        pytest.raises(DeadLettersLeftError, match="committed all the same, and there are no"),
        letters.after_output(committed=True),
    ):
        letters.commit()


CANCELLED = """
@state(key=None)
class S: ...
@node
class f:
    def __init__(self{more}) -> None: ...
    async def __call__(self, a: A) -> D:
        if a.n == 2:
            {does}
        await asyncio.sleep(0)
        return D(str(a.n))
"""


@pytest.mark.parametrize("more", ["", ", s: S"])
@pytest.mark.parametrize(
    "does",
    [
        "asyncio.current_task().cancel()",
        "asyncio.current_task().cancel(); return D('late')",
        "raise asyncio.CancelledError",
    ],
)
def test_a_coroutine_that_is_cancelled_has_failed_on_its_record_and_on_no_other(
    made: Make, more: str, does: str
) -> None:
    text = CANCELLED.format(more=more, does=does)
    spec = made(text, {}, f=SKIP)
    assert [d.text for d in run_application(spec, _given(spec, 4))] == ["1", "3", "4"]
    spec = made(text, {})
    with pytest.raises(NodeFailedError) as caught:
        run_application(spec, _given(spec, 4))
    error = caught.value
    assert (error.node, error.cause_type, error.sequence) == ("f", "CancelledError", 2)


# ---- the file ------------------------------------------------------------------------------------


def three_letters(made: Make) -> tuple[ApplicationSpec, list[bytes]]:
    """What was run, and its letters: those of the records 2, 5 and 8."""
    spec = made(STRAIGHT, {"first": {2, 5, 8}}, first=DEAD)
    run_application(spec, _given(spec))
    return spec, Path(spec.failure.dead_letters or "").read_bytes().splitlines(True)


def test_a_successor_may_repeat_letters_and_its_predecessor_die_within_one(made: Make) -> None:
    spec, (two, five, eight) = three_letters(made)
    file = DeadLetterFile(spec.failure)
    folder = file.open()
    for worker, written in (("a-0.1", two + five + eight[:40]), ("a-0.2", five + eight)):
        Path(letter_part(folder, worker, 0)).write_bytes(written)
    assert file.stage() == 3
    file.commit()
    assert Path(spec.failure.dead_letters or "").read_bytes() == two + five + eight


def test_the_folder_of_letters_that_are_in_place_is_there_until_nobody_writes_into_it(
    made: Make, tmp_path: Path
) -> None:
    spec, (two, five, _) = three_letters(made)
    target = Path(spec.failure.dead_letters or "")
    file = DeadLetterFile(spec.failure)
    part = Path(letter_part(file.open(), "a-0.1", 0))
    part.write_bytes(two)
    file.stage()
    file.commit()
    with part.open("ab") as late:
        late.write(five)
    assert not file.partial_outputs()
    file.abort()
    assert target.read_bytes() == two
    assert not list(tmp_path.glob("*.parts"))


def test_of_workers_in_one_place_each_has_the_letters_of_what_the_output_has_of_it(
    made: Make,
) -> None:
    spec, (two, five, eight) = three_letters(made)
    file = DeadLetterFile(spec.failure)
    folder = file.open()
    shares = {"a/%2F-0.1": ((0, 4), (6, 7)), "a/%2F-0.2": ((4, 6), (7, inf)), "b-0.1": ((0, 4),)}
    several = (two + five + eight, five, five)
    for worker, written in zip(shares, several, strict=True):
        Path(letter_part(folder, worker, 0)).write_bytes(written)
    asked = set[tuple[str, str]]()

    def share(worker: str, node: str) -> Sequence[tuple[int, float]]:
        asked.add((worker, node))
        return shares[worker]

    assert file.stage(share) == 2
    file.commit()
    assert Path(spec.failure.dead_letters or "").read_bytes() == two + five
    assert asked == {(worker, "first") for worker in shares}


def test_the_letters_of_another_run_are_kept_beside_the_file(made: Make, tmp_path: Path) -> None:
    """Those of the same run are the same bytes, and what is empty is nothing to be kept."""
    spec = made(STRAIGHT, {"first": {2}}, first=DEAD)
    target = Path(spec.failure.dead_letters or "")
    target.touch()
    written = {}
    for run in ("a/1", "b", "a/1", "a/1", "c"):
        MemoryRun(substituted(spec, _given(spec), {})[0], run).run()
        written[run] = target.read_bytes()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "dead.jsonl": written["c"],
        "dead.jsonl.a%2F1": written["a/1"],
        "dead.jsonl.a%2F1.2": written["a/1"],
        "dead.jsonl.b": written["b"],
    }


@pytest.mark.parametrize("mode", [None, 0o640])
def test_nobody_else_may_read_letters_than_may_read_the_file_they_replace(
    made: Make, mode: int | None
) -> None:
    spec = made(STRAIGHT, {"first": {2}}, first=DEAD)
    target = Path(spec.failure.dead_letters or "")
    if mode is not None:
        target.touch()
        target.chmod(mode)
    run_application(spec, _given(spec))
    assert target.stat().st_mode & 0o777 == (0o600 if mode is None else mode)
    assert target.stat().st_size


@pytest.mark.parametrize("name", ["dead.jsonl", "d" * 240])
def test_letters_of_a_run_with_a_long_id_are_kept_under_a_name_of_the_run_s(
    made: Make, tmp_path: Path, name: str
) -> None:
    spec = made(STRAIGHT, {"first": {2}}, first=DEAD)
    target = Path(spec.failure.dead_letters or "").with_name(name)
    failure = replace(spec.failure, dead_letters=str(target))
    spec = replace(spec, failure=failure)
    long = ["ü" * 250, "ü" * 249 + "u", "x" + "/" * 249]
    written = {}
    for run in (*long, "last"):
        MemoryRun(substituted(spec, _given(spec), {})[0], run).run()
        written[target.read_bytes()] = run
    kept = {file.name: written[file.read_bytes()] for file in tmp_path.iterdir()}
    del kept[target.name]
    assert sorted(kept.values()) == sorted(long)  # each by itself
    assert max(len(os.fsencode(name)) for name in kept) <= 255
    if name == "dead.jsonl":
        for file, run in kept.items():
            begun, _, digest = file.removeprefix("dead.jsonl.").partition("~")
            assert run.startswith(begun.replace("%2F", "/"))
            assert len(begun) > 70
            assert digest == sha256(run.encode()).hexdigest()[:16]


def test_what_is_no_file_of_letters_is_not_lost_to_them(made: Make, tmp_path: Path) -> None:
    spec = made(STRAIGHT, {}, first=DEAD)
    Path(spec.failure.dead_letters or "").write_text("my notes")
    run_application(spec, _given(spec))
    assert (tmp_path / "dead.jsonl.before").read_text() == "my notes"


def test_a_line_that_is_no_letter_is_refused_without_showing_it() -> None:
    deep = b"[" * 5_000
    for line in (b"", b"{}", b'{"secret":2}', b"secret", b'{"node":"secret\xff"}', deep):
        with pytest.raises(DeadLetterError) as caught:
            read_letter(line)
        assert "secret" not in str(caught.value)


def test_a_part_with_a_line_that_is_no_letter_is_named_with_it(made: Make, tmp_path: Path) -> None:
    file = DeadLetterFile(made(STRAIGHT, {}, first=DEAD).failure)
    part = letter_part(file.open(), "a-0.1", 0)
    Path(part).write_bytes(b'{"sequence":1,"node":"n","key":[1]}\n{"node":"\xff"}\n')
    with pytest.raises(DeadLetterError) as caught:
        file.stage()
    assert (caught.value.what, caught.value.problem) == (f"{part}, line 2", "it is no JSON text")


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_letters_are_the_same_from_workers_as_from_memory(made: Make, workers: int) -> None:
    spec = made(STRAIGHT, {"first": {2, 3}, "second": {4}, "third": {8}}, first=DEAD, third=DEAD)
    spec.failure.nodes["second"] = DEAD
    given = _given(spec, 30)
    out = run_application(spec, given)
    letters = Path(spec.failure.dead_letters or "").read_bytes()
    for batch in (1, 4, 100):
        placement = {"first": "one", "second": "two", "third": "one"}
        placed = run_placed(
            spec, given, placement, workers={"one": workers, "two": 2}, batch_records=batch
        )
        assert placed == out
        assert Path(spec.failure.dead_letters or "").read_bytes() == letters
