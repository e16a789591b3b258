"""The part of a configuration that an application is made of."""

from __future__ import annotations

from sk_config import application_data, build_config, dump_config, parse_config


def test_what_a_configuration_leaves_out_is_there_by_default(minimal):
    assert application_data(build_config(minimal)) == {
        "scenario": "any",
        "discovery_modules": ["app.nodes"],
        "nodes": {},
        "services": {},
        "source": None,
        "sink": None,
        "failure": {
            "default": {"policy": "fail", "attempts": 1},
            "nodes": {},
            "dead_letters": None,
        },
    }


def test_what_a_configuration_says_of_nodes_adapters_and_failure_is_in_it(four_groups):
    config = parse_config(
        four_groups,
        environ={"OUT": "out.txt"},
        overrides=[
            "adapters.sink.settings.path=${ENV:OUT}",
            "runtime.failure={nodes: {evaluate_policies: {policy: dead_letter, attempts: 2}},"
            " dead_letter: {path: letters.jsonl}}",
        ],
    )
    data = application_data(config)
    assert data["nodes"] == config.nodes
    assert data["source"] == {"name": "lines_file", "settings": {"path": "input.txt"}}
    assert data["sink"] == {"name": "lines_file", "settings": {"path": "out.txt"}}
    assert data["failure"] == {
        "default": {"policy": "fail", "attempts": 1},
        "nodes": {"evaluate_policies": {"policy": "dead_letter", "attempts": 2}},
        "dead_letters": "letters.jsonl",
    }


def test_what_a_configuration_says_of_services_is_in_it_with_what_placeholders_gave(minimal):
    minimal["services"] = {"rates": {"url": "db://${ENV:PASSWORD}@host", "pool": {"size": 2}}}
    overrides = ["services.rates.pool.size=3", "services.clock.zone=UTC"]
    config = build_config(minimal, environ={"PASSWORD": "hush"}, overrides=overrides)
    expected = {
        "rates": {"url": "db://hush@host", "pool": {"size": 3}},
        "clock": {"zone": "UTC"},
    }
    assert application_data(config)["services"] == config.services == expected
    shown = dump_config(config)
    assert shown["services"]["rates"]["url"] == "db://${ENV:PASSWORD}@host"
    assert "hush" not in repr(config)
    assert build_config(shown, environ={"PASSWORD": "hush"}) == config


def test_who_changes_it_changes_no_configuration(four_groups):
    config, same = parse_config(four_groups), parse_config(four_groups)
    data = application_data(config)
    data["nodes"]["evaluate_policies"]["daily_count_limit"] = 4
    data["services"]["rates"] = {}
    data["sink"]["settings"]["path"] = "elsewhere.txt"
    data["discovery_modules"].append("another")
    assert config == same
