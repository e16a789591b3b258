"""What silence, standstill and a look at a process are taken for; and what may be shown of it."""

from __future__ import annotations

import json
import os
from urllib.parse import quote

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_supervisor._lives.evidence import Breakage, Evidence, facts, last_bytes
from sk_supervisor._lives.judgement import Counts, Silence, StallChange, StallDetector
from sk_supervisor._lives.vitals import ProcessLook, Vitals, between, classify, look_at
from sk_supervisor._text.redaction import LEAST_LENGTH, MASK, Redactor

SECONDS = st.floats(0.01, 1000)


# ---- vitals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "used", "seconds", "vitals"),
    [
        (psutil.STATUS_STOPPED, 5.0, 5.0, "stopped"),
        (psutil.STATUS_TRACING_STOP, 0.0, 5.0, "stopped"),
        (psutil.STATUS_RUNNING, 5.0, 5.0, "busy"),
        (psutil.STATUS_SLEEPING, 0.6, 5.0, "busy"),
        (psutil.STATUS_SLEEPING, 0.0, 5.0, "idle"),
        (psutil.STATUS_DISK_SLEEP, 0.01, 5.0, "idle"),
        (psutil.STATUS_ZOMBIE, 5.0, 5.0, "gone"),
        ("", 0.0, 5.0, "gone"),
    ],
)
def test_a_process_is_stopped_busy_idle_or_gone(
    status: str, used: float, seconds: float, vitals: str
) -> None:
    assert str(classify(status, used, seconds)) == vitals


@given(st.sampled_from(["running", "sleeping", "disk-sleep", "idle"]), SECONDS, SECONDS)
def test_the_more_it_used_the_busier_it_is(status: str, used: float, seconds: float) -> None:
    assert classify(status, used, seconds) in (Vitals.BUSY, Vitals.IDLE)
    if classify(status, used, seconds) is Vitals.BUSY:
        assert classify(status, used * 2, seconds) is Vitals.BUSY
    else:
        assert classify(status, used / 2, seconds) is Vitals.IDLE


def test_a_process_that_does_not_exist_is_gone() -> None:
    unused = next(pid for pid in range(4_000_000, 5_000_000) if not psutil.pid_exists(pid))
    assert look_at(unused, 7.0) == ProcessLook(7.0)
    assert between(look_at(os.getpid(), 0.0), look_at(unused, 1.0)) is Vitals.GONE


def test_a_look_at_a_process_gives_its_cpu_time() -> None:
    first = look_at(os.getpid(), 0.0)
    sum(range(3_000_000))
    second = look_at(os.getpid(), 1.0)
    assert first.status
    assert first.cpu_seconds > 0
    assert second.cpu_seconds >= first.cpu_seconds


# ---- silence -------------------------------------------------------------------------------------


def test_a_silent_worker_is_looked_at_once_before_the_limit_and_once_at_it() -> None:
    silence = Silence(limit=3.0, since=10.0)
    assert silence.due == 12.0
    assert silence.looked(ProcessLook(12.0, "sleeping", 1.0)) is None
    assert silence.due == 13.0
    assert silence.looked(ProcessLook(13.0, "sleeping", 1.9)) is Vitals.BUSY


def test_what_a_worker_did_before_the_first_look_does_not_count() -> None:
    """It worked until it blocked: what it does now is what matters."""
    silence = Silence(limit=3.0, since=0.0)
    silence.looked(ProcessLook(2.0, "sleeping", 2.0))
    assert silence.looked(ProcessLook(3.0, "sleeping", 2.0)) is Vitals.IDLE


def test_a_word_ends_the_silence_and_an_older_one_does_not_bring_it_back() -> None:
    silence = Silence(limit=3.0, since=0.0)
    silence.looked(ProcessLook(2.0, "running"))
    silence.heard(2.5)
    assert (silence.since, silence.first) == (2.5, None)
    silence.heard(1.0)
    assert silence.since == 2.5


@given(limit=SECONDS, late=st.floats(0, 100))
def test_a_late_first_look_never_makes_the_window_nothing(limit: float, late: float) -> None:
    silence = Silence(limit, since=0.0)
    first = silence.due + late
    silence.looked(ProcessLook(first, "running", 0.0))
    assert silence.due >= limit
    assert silence.due - first >= limit * 0.09


# ---- standstill ----------------------------------------------------------------------------------


def still(standstill: StallDetector, now: float, cpu: float = 0.0) -> StallChange | None:
    """Say again what was said before, with work waiting; and have a look where one is wanted."""
    verdict = standstill.said(standstill.counts._replace(waiting=3), now)
    if verdict is None and standstill.wants_look(now):
        return standstill.looked(ProcessLook(now, "running", cpu))
    return verdict


def test_a_worker_that_stands_still_before_work_is_stuck_once_and_unstuck_once() -> None:
    standstill = StallDetector(limit=5.0, since=0.0)
    said = [still(standstill, float(now), cpu=now) for now in range(1, 10)]
    assert said == [None] * 4 + [StallChange(True, 5.0, Vitals.BUSY)] + [None] * 4
    assert standstill.said(Counts(1, 1, 1, waiting=3), 10.0) == StallChange(False, 10.0)
    assert standstill.said(Counts(2, 2, 2, waiting=3), 11.0) is None
    assert [still(standstill, float(now)) for now in range(12, 16)] == [None] * 4
    again = still(standstill, 16.0)
    assert again == StallChange(True, 5.0, Vitals.IDLE)


def test_a_stall_is_told_with_what_the_process_did_last() -> None:
    standstill = StallDetector(limit=6.0, since=0.0)
    said = [still(standstill, now, cpu) for now, cpu in ((4.0, 0.0), (5.0, 1.0), (6.0, 1.0))]
    assert said == [None, None, StallChange(True, 6.0, Vitals.IDLE)]


def test_what_a_process_did_before_it_made_progress_is_no_part_of_a_stall() -> None:
    standstill = StallDetector(limit=6.0, since=0.0)
    assert still(standstill, 4.0) is None
    assert standstill.said(Counts(1, 1, 1, waiting=3), 5.0) is None
    assert still(standstill, 11.0, cpu=6.0) is None  # the first look of another wait, and late
    assert still(standstill, 11.5, cpu=6.0) == StallChange(True, 6.5, Vitals.IDLE)


def test_a_worker_with_nothing_to_do_is_never_stuck() -> None:
    standstill = StallDetector(limit=5.0, since=0.0)
    for now in range(1, 100):
        assert standstill.said(Counts(7, 7, 1), float(now)) is None
        assert not standstill.wants_look(float(now))
    assert standstill.moved_at == 1.0


def test_a_stall_ends_when_the_work_is_gone() -> None:
    standstill = StallDetector(limit=5.0, since=0.0)
    for now in range(1, 7):
        still(standstill, float(now))
    assert standstill.stuck
    assert standstill.said(Counts(), 7.0) == StallChange(False, 7.0)


def test_without_a_limit_nobody_is_stuck_or_looked_at() -> None:
    standstill = StallDetector(limit=None, since=0.0)
    assert all(still(standstill, 1e6 * n) is None for n in range(10))
    assert standstill.looks == ()


@given(
    limit=st.floats(1, 100),
    words=st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.1, 30)), max_size=60),
)
def test_stalls_begin_and_end_in_turns_and_last_at_least_the_limit(
    limit: float, words: list[tuple[bool, bool, float]]
) -> None:
    standstill, now, batches, told = StallDetector(limit, since=0.0), 0.0, 0, []
    for moves, waits, pause in words:
        now, batches = now + pause, batches + moves
        verdict = standstill.said(Counts(batches=batches, waiting=int(waits)), now)
        if verdict is None and standstill.wants_look(now):
            verdict = standstill.looked(ProcessLook(now, "running"))
        if verdict is not None:
            told.append(verdict)
    assert [v.stuck for v in told] == [n % 2 == 0 for n in range(len(told))]
    assert all(v.seconds >= limit for v in told)


# ---- evidence ------------------------------------------------------------------------------------


def test_a_failure_is_told_with_everything_that_is_known_of_it() -> None:
    evidence = Evidence(
        "signal SIGKILL", ("one", "two"), Counts(10, 9, 2, source_records=30), Vitals.BUSY
    )
    assert facts(Breakage("heartbeat", "no heartbeat"), evidence) == {
        "category": "heartbeat",
        "message": "no heartbeat",
        "ended": "signal SIGKILL",
        "vitals": "busy",
        "stderr_tail": "one\ntwo",
        "records_in": 10,
        "records_out": 9,
        "batches": 2,
        "source_records": 30,
    }


def test_what_a_worker_wrote_before_it_told_of_its_failure_is_in_no_event() -> None:
    told = facts(Breakage("execution", "it raised", told=True), Evidence("", ("a record",)))
    assert "stderr_tail" not in told


@given(st.lists(st.text(max_size=200), max_size=20))
def test_an_event_has_the_end_of_the_last_lines(lines: list[str]) -> None:
    text = last_bytes(lines, 100)
    whole = "\n".join(lines).encode("utf-8", "backslashreplace").decode()
    assert len(text.encode()) <= 100
    assert text == whole or (text[0] == "\u2026" and whole.endswith(text[1:]))


# ---- redaction -----------------------------------------------------------------------------------


@given(
    secret=st.text(min_size=LEAST_LENGTH, max_size=40).filter(
        lambda s: len(s.strip()) >= LEAST_LENGTH and len(s.splitlines()) == 1
    ),
)
def test_a_known_text_never_shows_however_it_is_usually_written(
    secret: str,
) -> None:
    redact = Redactor([secret, "another one"])
    for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert redact(f"one\n{form}\ntwo") == f"one\n{MASK}\ntwo"


@pytest.mark.parametrize(
    "text",
    ["pass/w0rd&more", quote("pass/w0rd&more"), quote("pass/w0rd&more", safe=""), "first line"],
)
def test_a_url_and_a_line_of_several_are_forms_of_a_secret(text: str) -> None:
    redact = Redactor(["pass/w0rd&more", "first line\nsecond line\n"])
    assert redact(f"<{text}>") == f"<{MASK}>"


def test_the_longest_known_text_is_masked_whole() -> None:
    assert Redactor(["secret", "secret-and-more"])("a secret-and-more b") == f"a {MASK} b"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    assert Redactor(["abc", " 1  ", ""])("abc 1   def") == "abc 1   def"
    assert Redactor()("anything") == "anything"


def test_a_redactor_may_know_more_and_never_shows_what_it_knows() -> None:
    redact = Redactor(["secret-one", "secret-two"])
    assert redact("secret-one secret-two") == f"{MASK} {MASK}"
    assert "secret" not in repr(redact)
