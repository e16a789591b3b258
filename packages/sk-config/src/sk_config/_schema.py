"""The configuration's JSON Schema."""

from __future__ import annotations

from typing import Any

from sk_config._fields import TEXT_PATTERN
from sk_config._model_config import Config


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a configuration file, for editors and other tools.

    It describes each field. The rules between fields are not in it; `load_config` checks them.
    """
    schema = Config.model_json_schema(mode="validation")
    _admit_shorthand(schema["properties"]["scenario"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _admit_shorthand(scenario: dict[str, Any]) -> None:
    """Allow a plain name for a scenario: pydantic's schema does not know its validator."""
    name = {"type": "string", "pattern": TEXT_PATTERN}
    scenario["anyOf"] = [name, {"$ref": scenario.pop("$ref")}]
