"""The sums of a run's spans: what was created went out or was dropped, or somebody is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_control import ExporterCounts, SpanCounts, WorkerMessage, decode, encode
from sk_kernel import ExporterAccount, SpanAccount
from sk_observability import UNACCOUNTED, LifecycleLog
from sk_supervisor._loop.span_books import SpanBooks
from sk_supervisor._processes.output import line_consumer
from sk_supervisor._protocol.span_accounts import account_of, message_of
from sk_supervisor._telemetry.conservation import conservation_of
from sk_supervisor._telemetry.conservation_text import complaints, facts_of, words
from supervisor_scene import Scene

REASONS = st.dictionaries(st.sampled_from(["ENOSPC", "closed", "queue_full"]), st.integers(1, 99))


@st.composite
def honest(draw: st.DrawFn, kinds: tuple[str, ...], *, final: bool) -> SpanAccount:
    """The account of a process that has lost no span without a word."""
    created = draw(st.integers(0, 300))
    exporters = []
    for kind in kinds:
        dropped: dict[str, int] = {}
        left = created
        for reason, lost in draw(REASONS).items():
            if lost <= left:
                dropped[reason], left = lost, left - lost
        exporters.append(ExporterAccount(kind=kind, exported=left, dropped=dropped))
    worker = draw(st.text("abc", min_size=1, max_size=3)) + "-0.1"
    return SpanAccount(worker=worker, created=created, exporters=tuple(exporters), final=final)


runs = st.lists(st.sampled_from(["jsonl", "otel_otlp"]), min_size=1, max_size=3).flatmap(
    lambda kinds: st.lists(honest(tuple(kinds), final=True), max_size=6)
)

jsonl_runs = st.lists(honest(("jsonl",), final=True), max_size=6)


@given(runs)
def test_over_all_processes_created_is_exported_and_dropped_at_every_exporter(
    accounts: list[SpanAccount],
) -> None:
    found = conservation_of(accounts)
    assert found.holds
    assert complaints(found) == []
    assert found.created == sum(account.created for account in accounts)
    for place, one in enumerate(found.exporters):
        assert one.created == found.created == one.exported + sum(one.dropped.values())
        assert one.exported == sum(account.exporters[place].exported for account in accounts)


@given(jsonl_runs, honest(("jsonl",), final=True), st.integers(-5, 5).filter(bool))
def test_a_span_too_few_or_too_many_names_its_process_and_its_exporter(
    accounts: list[SpanAccount], honest_one: SpanAccount, missing: int
) -> None:
    (exporter,) = honest_one.exporters
    told = ExporterAccount(kind="jsonl", exported=exporter.exported + 5, dropped=exporter.dropped)
    created = honest_one.created + 5 + missing
    bad = SpanAccount(worker="bad-0.1", created=created, exporters=(told,), final=True)
    found = conservation_of([*accounts, bad])
    assert not found.holds
    (gap,) = found.gaps
    assert (gap.worker, gap.missing) == ("bad-0.1", missing)
    (complaint,) = complaints(found)
    assert complaint.startswith("error: spans of bad-0.1 are not accounted for: jsonl")


def test_what_an_exporter_gave_no_account_of_is_a_gap_though_it_is_counted() -> None:
    silent = ExporterAccount(kind="mine", exported=3, dropped={UNACCOUNTED: 2, "refused": 1})
    account = SpanAccount(worker="a-0.1", created=6, exporters=(silent,), final=True)
    (gap,) = conservation_of([account]).gaps
    assert (gap.worker, gap.exporter, gap.missing) == ("a-0.1", "mine", 2)


@given(jsonl_runs, honest(("jsonl",), final=False))
def test_a_process_that_did_not_close_its_account_is_named_and_is_no_gap(
    accounts: list[SpanAccount], killed: SpanAccount
) -> None:
    """Not even where its last report had spans on their way."""
    killed = SpanAccount(
        worker="killed-0.1", created=killed.created + 7, exporters=killed.exporters
    )
    found = conservation_of([*accounts, killed])
    assert found.holds
    assert found.remainders == (("killed-0.1", killed.created, 1),)
    assert sum("killed-0.1" in line and "unknown" in line for line in words(found)) == 1


def test_a_run_that_exports_nothing_says_nothing() -> None:
    found = conservation_of([SpanAccount(worker="a-0.1", final=True)])
    assert (words(found), complaints(found), list(facts_of(found))) == ([], [], [])


def test_a_summary_tells_each_exporter_s_sums_and_why_spans_were_dropped() -> None:
    first = ExporterAccount(kind="jsonl", exported=1200)
    second = ExporterAccount(
        kind="jsonl", exported=1100, dropped={"closed": 1, "ENOSPC": 99}, close_failure="EIO"
    )
    account = SpanAccount(worker="a-0.1", created=1200, exporters=(first, second), final=True)
    assert words(conservation_of([account])) == [
        "  spans: 1,200 created, 1,200 exported by jsonl 1",
        "  spans: 1,200 created, 1,100 exported by jsonl 2, 100 dropped (ENOSPC 99, closed 1);"
        " not closed in a-0.1 (EIO)",
    ]


def test_what_a_process_without_a_last_account_held_is_said_to_be_that() -> None:
    """It was killed, or a run in one process was cut short."""
    told = ExporterAccount(kind="jsonl", exported=3, dropped={"ENOSPC": 1})
    accounts = [
        SpanAccount(worker="a-0.1", created=4, exporters=(told,), final=True),
        SpanAccount(worker="b-0.1", created=9, exporters=(told,)),
    ]
    found = conservation_of(accounts)
    assert words(found)[0] == (
        "  spans: 13 created, 6 exported by jsonl, 2 dropped (ENOSPC 2),"
        " 5 unknown (processes that ended before their final report)"
    )
    assert next(facts_of(found)).fields["unknown"] == 5


def test_the_events_tell_sums_remainders_and_gaps() -> None:
    gone = ExporterAccount(kind="jsonl", exported=2)
    kept = ExporterAccount(kind="jsonl", exported=4, dropped={"ENOSPC": 1})
    accounts = [
        SpanAccount(worker="a-0.1", created=5, exporters=(kept,), final=True),
        SpanAccount(worker="b-0.1", created=2, exporters=(gone,)),
        SpanAccount(worker="c-0.1", created=3, exporters=(gone,), final=True),
    ]
    told = {
        fact.name: (fact.worker, dict(fact.fields)) for fact in facts_of(conservation_of(accounts))
    }
    sums = {"exporter": "jsonl", "created": 10, "exported": 8, "dropped": 1}
    gap = {"exporter": "jsonl", "created": 3, "exported": 2, "dropped": 0, "missing": 1}
    assert told == {
        "spans_accounted": (None, {**sums, "reasons": "ENOSPC 1", "unknown": 0, "processes": 3}),
        "spans_unknown": ("b-0.1", {"created": 2, "processes": 1}),
        "spans_unaccounted": ("c-0.1", gap),
    }


@given(honest(("jsonl", "otel_otlp"), final=True))
def test_an_account_survives_the_control_plane(account: SpanAccount) -> None:
    said = decode(*encode(message_of(account)))
    assert isinstance(said, SpanCounts)
    assert account_of(account.worker, said) == account


def test_behind_a_last_account_comes_none() -> None:
    """A report that was on its way when the worker closed its account changes nothing."""
    books = SpanBooks()
    books.note("a-0.1", SpanCounts(1))
    books.note("a-0.1", SpanCounts(3, final=True))
    books.note("a-0.1", SpanCounts(2))
    (account,) = books.accounts()
    assert (account.created, account.final) == (3, True)


def test_the_account_of_a_dead_worker_is_kept_beside_its_successor_s() -> None:
    scene = Scene("a-0.1")
    counts = SpanCounts(4, (ExporterCounts("jsonl", 4),))
    scene.mailbox.put(WorkerMessage("a-0.1", counts))
    scene.mailbox.put(WorkerMessage("a-0.2", SpanCounts(1, final=True)))
    assert [(a.worker, a.created, a.final) for a in scene.spans.accounts()] == [
        ("a-0.1", 4, False),
        ("a-0.2", 1, True),
    ]


@pytest.mark.parametrize("as_events", [True, False])
def test_a_line_of_a_worker_is_shown_and_an_event_only_where_that_was_asked_for(
    as_events: bool,
) -> None:
    shown: list[tuple[str, str]] = []
    log = LifecycleLog("r1", level="debug")
    take = line_consumer(lambda *told: shown.append(told[:2]), log, as_events=as_events)
    take("mid-0.1", "stdout", "hello")
    assert shown == [("mid-0.1 stdout", "hello")]
    told = [(e.name, e.level, e.group, e.worker, e.fields) for e in log.events()]
    fields = {"stream": "stdout", "line": "hello"}
    assert told == [("worker_output", "debug", "mid", "mid-0.1", fields)] * as_events
