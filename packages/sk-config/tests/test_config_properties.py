"""Laws: whatever comes in, out comes a configuration or its faults; and a dump says it all."""

from __future__ import annotations

import copy
import json

import sk_config
from hypothesis import assume, given
from hypothesis import strategies as st
from sk_config import CATEGORIES, Config, ConfigError, Fault, build_config, dump_config

TEXT = st.text(max_size=8) | st.sampled_from(
    ["", "static", "tcp_local", "process_supervisor", "${", "$${", "${ENV:A}", "${FILE:/}", "a.b"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70_000)
    | st.integers()
    | st.floats()
    | TEXT
    | st.binary(max_size=2)
)
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
COUNTS = st.integers(1, 10**6)
WORKERS = st.integers(1, 128)
NAMES = st.text("abcdefg:._-", min_size=1, max_size=6)
SETTINGS = st.dictionaries(
    st.text(max_size=6),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=8)
        | st.sampled_from(["${", "$${", "$$${ENV:A}", "${ENV:A}"]),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=3,
)


@st.composite
def groups(draw):
    """Groups with names of their own, each with nodes that no other one names."""
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    return [
        {
            "name": name,
            "nodes": [
                f"{index}{node}"
                for node in draw(st.lists(NAMES, min_size=1, unique=True, max_size=3))
            ],
            "workers": draw(WORKERS),
            "tags": draw(st.lists(NAMES, max_size=2)),
            "runner_profile": draw(st.sampled_from(["sync", "async"])),
            "heartbeat_seconds": draw(st.integers(1, 86_400)),
        }
        for index, name in enumerate(names)
    ]


#: Another character would be shown as an escape, and not be found.
PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" ")


@st.composite
def valid(draw):
    """A valid configuration, its literal `${` escaped."""
    exporters = st.lists(
        st.fixed_dictionaries({"kind": st.sampled_from(["jsonl", "stdout"]), "settings": SETTINGS}),
        max_size=2,
    )
    mapping = {
        "version": 1,
        "scenario": draw(NAMES),
        "runtime": {
            "discovery_modules": ["app"],
            "platform": {
                "bootstrap": {"mode": "inline"},
                "process_groups": draw(groups()),
                "batch": {"max_records": draw(COUNTS)},
            },
            "observability": {"tracing": {"exporters": draw(exporters)}},
        },
        "nodes": draw(st.dictionaries(st.text(max_size=5), SETTINGS, max_size=2)),
        "adapters": {"source": {"name": draw(NAMES), "settings": draw(SETTINGS)}},
    }
    return _escape(mapping)


def _escape(value):
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, dict):
        return {key: _escape(item) for key, item in value.items()}
    return [_escape(item) for item in value] if isinstance(value, list) else value


def _places(value, path=()):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from _places(item, (*path, key))


def _outcome(build):
    """Run a build; the law is that it gives a Config or raises a ConfigError with faults."""
    try:
        config = build()
    except ConfigError as refused:
        error = refused
    else:
        assert isinstance(config, Config)
        return config
    assert error.faults
    assert all(isinstance(f, Fault) and f.category in CATEGORIES for f in error.faults)
    assert len(str(error).splitlines()) == len(error.faults) + 1
    assert all(len(str(fault)) < 1000 for fault in error.faults)
    return error


@given(st.dictionaries(TEXT | st.sampled_from(["version", "runtime", "nodes"]), ANY, max_size=4))
def test_any_mapping_gives_a_config_or_a_config_error(mapping):
    _outcome(lambda: build_config(mapping, environ={}))


@given(valid(), st.data())
def test_a_valid_mapping_changed_anywhere_gives_a_config_or_a_config_error(mapping, data):
    for _ in range(data.draw(st.integers(1, 3))):
        places = [path for path in _places(mapping) if path]
        path = data.draw(st.sampled_from(places))
        holder = mapping
        for part in path[:-1]:
            holder = holder[part]
        if isinstance(holder, dict) and data.draw(st.booleans()):
            holder[data.draw(TEXT)] = data.draw(ANY)
        else:
            holder[path[-1]] = data.draw(ANY)
    _outcome(lambda: build_config(mapping, environ={}))


@given(st.text(), st.sampled_from(["yaml", "json"]))
def test_any_text_gives_a_config_or_a_config_error(text, text_format):
    _outcome(lambda: sk_config.parse_config(text, format=text_format, environ={}))


@given(st.text("{}[]:,-?&*!|>'\"%@`#\n\t ab01<~.", max_size=60))
def test_any_text_of_yaml_punctuation_gives_a_config_error(text):
    assert isinstance(_outcome(lambda: sk_config.parse_config(text, environ={})), ConfigError)


@given(valid(), st.lists(st.text() | st.builds("{}={}".format, TEXT, TEXT), max_size=3))
def test_any_override_gives_a_config_or_a_config_error(mapping, overrides):
    _outcome(lambda: build_config(mapping, overrides=overrides, environ={}))


@given(valid())
def test_the_dump_of_a_config_builds_an_equal_config(mapping):
    config = build_config(mapping, environ={})
    dump = dump_config(config)
    assert build_config(dump, environ={}) == config
    assert sk_config.parse_config(json.dumps(dump), format="json", environ={}) == config


@given(valid())
def test_building_leaves_its_mapping_as_it_was(mapping):
    before = copy.deepcopy(mapping)
    build_config(mapping, overrides=["runtime.platform.batch.in_flight=2"], environ={})
    assert mapping == before


@given(valid(), st.text(PRINTABLE, min_size=12).filter(str.strip))
def test_an_expanded_value_never_shows(mapping, secret):
    assume(secret not in repr(mapping))
    mapping["nodes"]["n"] = {"token": "${ENV:TOKEN}"}
    config = build_config(mapping, environ={"TOKEN": secret})
    assert config.nodes["n"]["token"] == secret
    assert secret not in repr(config) + str(config) + repr(dump_config(config))
