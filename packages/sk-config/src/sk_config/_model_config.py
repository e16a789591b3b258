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
    """The name of what is run."""

    name: ScenarioName = Field(description="Name of the scenario, for people and reports")


def spell_out_scenario(value: object) -> object:
    """Write the shorthand `scenario: NAME` as `scenario: {name: NAME}`."""
    return {"name": value} if isinstance(value, str) else value


def _name_or_mapping(value: object) -> object:
    if not isinstance(value, str | Mapping | ScenarioConfig):
        raise PydanticCustomError(NAME_OR_MAPPING, "a name, or a mapping")
    return spell_out_scenario(value)


class RuntimeConfig(ConfigModel):
    """The code of the application, and how it is run."""

    discovery_modules: tuple[ModuleName, ...] = Field(
        min_length=1,
        description="Python modules in which `sk` looks for nodes, sources, sinks and services",
    )
    platform: PlatformConfig = Field(
        default=PlatformConfig(), description="Processes, groups, batches and limits"
    )
    observability: ObservabilityConfig = Field(
        default=ObservabilityConfig(), description="Traces, events and metrics"
    )
    failure: FailureConfig = Field(
        default=FailureConfig(), description="Failure policies of nodes, and dead letters"
    )

    def _broken_rules(self) -> Iterable[Finding]:
        given = self.model_dump()
        return [*metrics_findings(given), *module_findings(given)]


class AdapterConfig(ConfigModel):
    """The source or the sink of the graph."""

    name: Name = Field(description="Name of the adapter: of a declared source or sink")
    settings: Settings = Field(
        default={}, description="Settings of the adapter, which validates them"
    )


class AdaptersConfig(ConfigModel):
    """The source and the sink of the graph."""

    source: AdapterConfig | None = Field(
        default=None, description="The source: where records come from"
    )
    sink: AdapterConfig | None = Field(default=None, description="The sink: where results go")


class Config(ConfigModel):
    """The configuration of a run. Keys that are left out have their defaults."""

    version: Version = Field(description="Version of the configuration format")
    scenario: Annotated[ScenarioConfig, BeforeValidator(_name_or_mapping)] = Field(
        description="What is run. A string is short for a block with this name"
    )
    runtime: RuntimeConfig = Field(
        description="Modules, processes, observability and failure policies"
    )
    nodes: dict[str, Settings] = Field(
        default={}, description="Settings of nodes, by node name. Each node validates its own"
    )
    services: dict[str, Settings] = Field(
        default={},
        description="Settings of services, by service name. Each service validates its own",
    )
    adapters: AdaptersConfig = Field(
        default=AdaptersConfig(), description="The source and the sink"
    )
