"""The configuration as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from sk_config._base import NAME_OR_MAPPING, ConfigModel
from sk_config._fields import ModuleName, Name, ScenarioName, Settings, Version
from sk_config._finding import Finding
from sk_config._model_failure import FailureConfig
from sk_config._model_observability import ObservabilityConfig
from sk_config._model_platform import PlatformConfig
from sk_config._rules import metrics_findings, module_findings


class ScenarioConfig(ConfigModel):
    """What is run."""

    name: ScenarioName = Field(description="The name of the scenario, for people and reports")


def spell_out_scenario(value: object) -> object:
    """Write the shorthand `scenario: NAME` as `scenario: {name: NAME}`."""
    return {"name": value} if isinstance(value, str) else value


def _name_or_mapping(value: object) -> object:
    if not isinstance(value, str | Mapping | ScenarioConfig):
        raise PydanticCustomError(NAME_OR_MAPPING, "a name, or a mapping")
    return spell_out_scenario(value)


class RuntimeConfig(ConfigModel):
    """How it is run."""

    discovery_modules: tuple[ModuleName, ...] = Field(
        min_length=1, description="The Python modules in which nodes and services are looked for"
    )
    platform: PlatformConfig = Field(
        default=PlatformConfig(), description="Where nodes run, and how processes are kept"
    )
    observability: ObservabilityConfig = Field(
        default=ObservabilityConfig(), description="What is traced, logged and measured"
    )
    failure: FailureConfig = Field(
        default=FailureConfig(), description="What becomes of records on which nodes raise"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        given = self.model_dump()
        return [*metrics_findings(given), *module_findings(given)]


class AdapterConfig(ConfigModel):
    """The source or the sink of a graph."""

    name: Name = Field(description="The name of the adapter")
    settings: Settings = Field(default={}, description="The adapter's own settings")


class AdaptersConfig(ConfigModel):
    """Where records come from and where results go."""

    source: AdapterConfig | None = Field(default=None, description="Where records come from")
    sink: AdapterConfig | None = Field(default=None, description="Where results go")


class Config(ConfigModel):
    """The configuration of a run, with every default in place."""

    version: Version = Field(description="The version of this format")
    scenario: Annotated[ScenarioConfig, BeforeValidator(_name_or_mapping)] = Field(
        description="What is run; a plain string is its name"
    )
    runtime: RuntimeConfig = Field(description="How it is run")
    nodes: dict[str, Settings] = Field(
        default={}, description="Settings of nodes, by the node's name; each node validates its own"
    )
    services: dict[str, Settings] = Field(
        default={},
        description="Settings of services, by the service's name; each service validates its own",
    )
    adapters: AdaptersConfig = Field(
        default=AdaptersConfig(), description="Where records come from and where results go"
    )
