"""The route cache: bounded, least recently used, and never of an older placement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sk_kernel._replies.route_cache import UNKNOWN
from sk_kernel.runtime import RouteCache


@pytest.mark.contract("ROUTE-CACHE-01")
def test_positive_and_negative_answers_are_kept() -> None:
    cache: RouteCache[str, str] = RouteCache()
    assert cache.get("a", 0) is UNKNOWN
    cache.put("a", 0, "group")
    cache.put("b", 0, None)
    assert (cache.get("a", 0), cache.get("b", 0)) == ("group", None)
    seen = cache.snapshot()
    assert (seen.misses, seen.hits, seen.negative_hits, seen.entries) == (1, 1, 1, 2)


@pytest.mark.contract("ROUTE-CACHE-01")
def test_negative_answers_are_not_kept_where_that_is_off() -> None:
    cache: RouteCache[str, str] = RouteCache(negative_cache=False)
    cache.put("a", 0, "group")
    cache.put("b", 0, None)
    assert (cache.get("a", 0), cache.get("b", 0)) == ("group", UNKNOWN)


@pytest.mark.contract("ROUTE-CACHE-01")
def test_a_disabled_cache_keeps_nothing() -> None:
    cache: RouteCache[str, str] = RouteCache(enabled=False)
    cache.put("a", 0, "group")
    assert cache.get("a", 0) is UNKNOWN
    assert cache.snapshot().entries == 0


@pytest.mark.contract("ROUTE-CACHE-01")
def test_the_least_recently_used_answer_makes_room() -> None:
    cache: RouteCache[str, str] = RouteCache(max_entries=2)
    cache.put("a", 0, "A")
    cache.put("b", 0, "B")
    cache.get("a", 0)
    cache.put("c", 0, "C")
    assert [cache.get(key, 0) for key in "abc"] == ["A", UNKNOWN, "C"]
    assert cache.snapshot().evictions == 1


@pytest.mark.contract("ROUTE-CACHE-02")
def test_a_change_of_placement_empties_the_cache() -> None:
    cache: RouteCache[str, str] = RouteCache()
    cache.put("a", 0, "old")
    cache.invalidate(1)
    cache.invalidate(1)
    assert cache.get("a", 1) is UNKNOWN
    seen = cache.snapshot()
    assert (seen.version, seen.invalidations, seen.entries) == (1, 1, 0)


@pytest.mark.contract("ROUTE-CACHE-02")
def test_a_lookup_that_a_change_overtook_leaves_nothing_behind() -> None:
    cache: RouteCache[str, str] = RouteCache()
    assert cache.get("a", 0) is UNKNOWN
    cache.invalidate(1)
    cache.put("a", 0, "old")
    assert cache.get("a", 1) is UNKNOWN
    cache.put("a", 1, "new")
    assert (cache.get("a", 0), cache.get("a", 1)) == (UNKNOWN, "new")


@pytest.mark.contract("ROUTE-CACHE-02")
def test_a_reader_that_is_ahead_of_the_invalidation_is_not_given_an_old_answer() -> None:
    cache: RouteCache[str, str] = RouteCache()
    cache.put("a", 0, "old")
    assert cache.get("a", 1) is UNKNOWN
    cache.invalidate(1)
    assert cache.snapshot().invalidations == 1


def test_a_cache_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="max_entries"):
        RouteCache(max_entries=0)


READER = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from("abc"), st.sampled_from(["x", "y", None])),
        st.tuples(st.just("announce"), st.just(""), st.none()),
        st.tuples(st.just("look up"), st.sampled_from("abc"), READER),
        st.tuples(st.just("store"), st.just(""), READER),
    ),
    max_size=60,
)


@pytest.mark.contract("ROUTE-CACHE-01", "ROUTE-CACHE-02")
@given(steps=STEPS, negative=st.booleans(), room=st.integers(1, 3))
def test_whatever_the_interleaving_an_answer_is_that_of_its_placement(
    steps: list[tuple[str, str, object]], negative: bool, room: int
) -> None:
    """Readers take a version, look up, and store what they find there as late as they like."""
    cache: RouteCache[str, str] = RouteCache(negative_cache=negative, max_entries=room)
    versions: list[dict[str, object]] = [dict.fromkeys("abc")]
    pending: dict[object, tuple[str, int]] = {}
    lookups = 0
    for step, key, detail in steps:
        if step == "change":
            versions.append(versions[-1] | {key: detail})
        elif step == "announce":
            cache.invalidate(len(versions) - 1)
        elif step == "look up":
            version = len(versions) - 1
            lookups += 1
            answer = cache.get(key, version)
            assert answer in (UNKNOWN, versions[version][key])
            pending[detail] = key, version
        elif detail in pending:
            key, version = pending.pop(detail)
            found = versions[version][key]
            assert found is None or isinstance(found, str)
            cache.put(key, version, found)
        seen = cache.snapshot()
        assert seen.entries <= room
        assert seen.hits + seen.negative_hits + seen.misses == lookups
        assert negative or seen.negative_hits == 0
