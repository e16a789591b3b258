"""The JSON Schema: complete in its descriptions, and agreeing with what is accepted."""

from __future__ import annotations

import json
import re

import pytest
from sk_config import config_schema, dump_config, parse_config

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}

# A keyword says nothing of values of other types.
APPLIES_TO = {
    **dict.fromkeys(("required", "properties", "additionalProperties"), dict),
    **dict.fromkeys(("items", "minItems"), list),
    **dict.fromkeys(("pattern", "minLength", "maxLength"), str),
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
}


def _conforms(value, schema, root) -> bool:
    """Check by the keywords that the schema uses; any other keyword is an error of this test."""
    applies = (word for word in schema if isinstance(value, APPLIES_TO.get(word, object)))
    return all(_keyword(word, schema[word], value, schema, root) for word in applies)


def _keyword(word, rule, value, schema, root) -> bool:
    match word:
        case "$ref":
            return _conforms(value, root["$defs"][rule.removeprefix("#/$defs/")], root)
        case "type":
            is_number = rule in ("integer", "number")
            return isinstance(value, TYPES[rule]) and not (is_number and isinstance(value, bool))
        case "anyOf":
            return any(_conforms(value, option, root) for option in rule)
        case "const":
            return value == rule
        case "enum":
            return value in rule
        case "required":
            return set(rule) <= set(value)
        case "properties":
            return all(_conforms(value[k], rule[k], root) for k in rule if k in value)
        case "additionalProperties":
            extra = [value[k] for k in value if k not in schema.get("properties", {})]
            return rule is True or all(rule and _conforms(item, rule, root) for item in extra)
        case "items":
            return all(_conforms(item, rule, root) for item in value)
        case "minItems" | "minLength":
            return len(value) >= rule
        case "maxLength":
            return len(value) <= rule
        case "minimum":
            return value >= rule
        case "maximum":
            return value <= rule
        case "pattern":
            return re.search(rule, value) is not None
        case _:
            assert word in {
                *("$schema", "$defs", "title", "description", "default", "format", "writeOnly")
            }, word
            return True


def test_the_schema_is_json_of_draft_2020_12():
    schema = json.loads(json.dumps(config_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.contract("CFG-DEFAULT-02")
def test_the_fund_load_configuration_conforms(four_groups):
    schema = config_schema()
    dump = dump_config(parse_config(four_groups))
    assert _conforms(dump, schema, schema)
    assert _conforms({**dump, "scenario": "fund_load"}, schema, schema)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"unknown": 1},
        {"runtime": {}},
        {"runtime": {"discovery_modules": []}},
        {"runtime": {"discovery_modules": ["a"], "platform": {"bootstrap": {"mode": "A fork"}}}},
        {"runtime": {"discovery_modules": ["a"], "platform": {"batch": {"in_flight": 0}}}},
        {"adapters": {"source": {}}},
        {"scenario": 3},
        {"scenario": {"name": "s" * 257}},
    ],
)
def test_what_is_refused_for_its_shape_does_not_conform(four_groups, change):
    schema = config_schema()
    dump = {**dump_config(parse_config(four_groups)), **change}
    assert not _conforms(dump, schema, schema)


def test_every_property_has_a_description_and_every_optional_one_its_default():
    schema = config_schema()
    blocks = {"Config": schema, **schema["$defs"]}
    properties = [
        (f"{block}.{name}", name in definition.get("required", []), details)
        for block, definition in blocks.items()
        for name, details in definition.get("properties", {}).items()
    ]
    assert len(properties) > 50
    for place, required, details in properties:
        assert details.get("description"), place
        assert required or "default" in details, place


def test_every_object_of_the_format_is_closed():
    schema = config_schema()
    for definition in (schema, *schema["$defs"].values()):
        assert definition["additionalProperties"] is False, definition["title"]
