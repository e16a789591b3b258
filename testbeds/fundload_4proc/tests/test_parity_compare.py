"""Comparing outputs: what counts as equal, and what is shown where they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parity import (
    MAX_DIFFERENCES,
    Comparison,
    Difference,
    Fingerprint,
    ParityCase,
    RunFailure,
    compare,
    fingerprint,
    merge_rounds,
    normalise,
)

ONE = b'{"id":"1","accepted":true}\n'
TWO = b'{"id":"2","accepted":false}\n'


def test_a_fingerprint_is_hash_size_and_lines() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert fingerprint("x", b"") == Fingerprint("x", empty, 0, 0)
    assert fingerprint("x", b"abc") == Fingerprint("x", abc, 3, 1)


@pytest.mark.parametrize(
    ("data", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"\n\n", 2), (b"a\rb", 1)]
)
def test_a_line_without_its_end_counts(data: bytes, lines: int) -> None:
    assert fingerprint("x", data).lines == lines


def test_equal_outputs_are_equal_in_both_ways() -> None:
    comparison = compare({"memory": ONE + TWO, "multiprocess": ONE + TWO, "reference": ONE + TWO})
    assert (comparison.byte_equal, comparison.normalised_equal) == (True, True)
    assert comparison.differences == ()
    assert [file.label for file in comparison.files] == ["memory", "multiprocess", "reference"]


@pytest.mark.parametrize(
    "other",
    [
        b'{"accepted":true,"id":"1"}\n',
        b'{ "id" : "1", "accepted": true }\r\n',
        b'{"id":"\\u0031","accepted":true}\n',
        b'{"id":"1","accepted":true}',
        b'\n{"id":"1","accepted":true}\n\n',
    ],
)
def test_other_bytes_of_the_same_values_are_told_from_other_values(other: bytes) -> None:
    comparison = compare({"a": ONE, "b": other})
    assert (comparison.byte_equal, comparison.normalised_equal) == (False, True)
    assert comparison.differences != ()


@pytest.mark.parametrize("other", [b"", TWO, ONE + ONE, b"x\n", b'{"id":1,"accepted":true}\n'])
def test_other_values_are_not_equal_in_any_way(other: bytes) -> None:
    comparison = compare({"a": ONE, "b": other})
    assert (comparison.byte_equal, comparison.normalised_equal) == (False, False)


def test_the_odd_one_out_is_found_wherever_it_stands() -> None:
    for odd in ("a", "b", "c"):
        labelled = {"a": ONE, "b": ONE, "c": ONE, odd: TWO}
        assert not compare(labelled).byte_equal


def test_lines_in_another_order_differ() -> None:
    comparison = compare({"a": ONE + TWO, "b": TWO + ONE})
    assert not comparison.normalised_equal


def test_a_differing_line_is_shown_with_its_number_and_what_each_has() -> None:
    comparison = compare({"a": ONE * 2 + ONE, "b": ONE * 2 + TWO, "c": ONE * 2})
    assert comparison.differences == (Difference(3, {"a": ONE, "b": TWO, "c": None}),)


def test_a_missing_last_end_of_line_is_a_difference() -> None:
    comparison = compare({"a": ONE, "b": ONE.rstrip()})
    assert comparison.differences == (Difference(1, {"a": ONE, "b": ONE.rstrip()}),)


def test_only_the_first_differing_lines_are_kept() -> None:
    comparison = compare({"a": b"x\n" * 20, "b": b"x\ny\n" * 10})
    assert [difference.line_no for difference in comparison.differences] == [2, 4, 6, 8, 10]
    assert len(comparison.differences) == MAX_DIFFERENCES


def test_normalising_writes_what_jq_with_c_and_s_writes() -> None:
    data = b'{"b": [1, {"d":2,"c":null}], "a": "\\u00fc\\n"}\r\n\n true '
    assert normalise(data) == '{"a":"ü\\n","b":[1,{"c":null,"d":2}]}\ntrue\n'.encode()


@pytest.mark.parametrize("line", [b"x", b"{", b"\xff", b'"\\ud800"', b"[" * 200_000])
def test_what_is_no_json_stays_as_it_is(line: bytes) -> None:
    assert normalise(line + b"\n") == line + b"\n"


@given(st.binary())
def test_normalising_twice_is_normalising_once(data: bytes) -> None:
    assert normalise(normalise(data)) == normalise(data)


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c"])).map(b"".join)


@given(LINES, LINES)
def test_a_difference_is_shown_exactly_when_bytes_differ(left: bytes, right: bytes) -> None:
    comparison = compare({"left": left, "right": right})
    assert comparison.byte_equal is (left == right)
    assert bool(comparison.differences) is (left != right)


# ---- cases


def case(outputs: Comparison | None = None, rejects: Comparison | None = None) -> ParityCase:
    equal = compare({"memory": ONE, "reference": ONE})
    return ParityCase(
        rules="baseline",
        input=fingerprint("input", b"in\n"),
        counts={"accepted": 1},
        outputs=outputs or equal,
        rejects=rejects or equal,
    )


LAYOUT = compare({"memory": ONE, "reference": ONE.replace(b":", b": ")})


def test_a_case_is_ok_when_outputs_and_rejects_are_equal() -> None:
    assert case().ok


def test_a_case_whose_outputs_are_equal_only_when_normalised_is_not_ok() -> None:
    assert LAYOUT.normalised_equal
    assert not case(outputs=LAYOUT).ok


def test_a_case_whose_rejects_differ_is_not_ok() -> None:
    assert not case(rejects=LAYOUT).ok


def test_a_case_with_a_failed_run_is_not_ok_whatever_is_left_to_compare() -> None:
    assert not replace(case(), failures=(RunFailure("multiprocess", 4),)).ok


def test_rounds_that_all_agree_are_one_case() -> None:
    merged = merge_rounds([case(), case(), case()])
    assert (merged.ok, merged.rounds, merged.failed_rounds) == (True, 3, ())


def test_of_several_rounds_the_first_that_failed_is_shown() -> None:
    first = replace(case(), failures=(RunFailure("multiprocess", 4),))
    merged = merge_rounds([case(), first, case(outputs=LAYOUT)])
    assert (merged.ok, merged.rounds, merged.failed_rounds) == (False, 3, (2, 3))
    assert merged.failures == first.failures
