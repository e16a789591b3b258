"""Runtime configuration of stream kernel: models, loading, faults with paths, JSON Schema.

One file (YAML or JSON) configures how a graph of nodes runs. `load_config` reads it, expands
placeholders for secrets, and checks everything that can be checked without importing a node. It
returns a frozen `Config`, or raises a `ConfigError` with all faults at once.
"""

from __future__ import annotations

from sk_config._application import application_data
from sk_config._base import origin_of, place_of, secret_values
from sk_config._build import build_config, load_config, parse_config
from sk_config._cautions import cautions
from sk_config._dump import dump_config
from sk_config._model_admin import AdminConfig
from sk_config._model_config import (
    AdapterConfig,
    AdaptersConfig,
    Config,
    RuntimeConfig,
    ScenarioConfig,
)
from sk_config._model_failure import DeadLetterConfig, FailureConfig, NodeFailureConfig
from sk_config._model_health import HealthConfig, HealthListenerConfig
from sk_config._model_ipc import (
    AdmissionConfig,
    AuthConfig,
    ControlAdmissionConfig,
    ControlConfig,
    ExecutionIpcConfig,
)
from sk_config._model_observability import (
    LifecycleEventsConfig,
    LogExporterConfig,
    LoggingConfig,
    MetricsConfig,
    MetricsExporterConfig,
    ObservabilityConfig,
    TraceExporterConfig,
    TracingConfig,
)
from sk_config._model_platform import (
    BatchConfig,
    BootstrapConfig,
    GroupConfig,
    PlatformConfig,
    ReadinessConfig,
)
from sk_config._model_requests import RequestsConfig, RoutingCacheConfig
from sk_config._model_restart import RestartConfig
from sk_config._overrides import override_data
from sk_config._schema import config_schema
from sk_config.errors import CATEGORIES, Category, ConfigError, Fault

__all__ = [
    "CATEGORIES",
    "AdapterConfig",
    "AdaptersConfig",
    "AdminConfig",
    "AdmissionConfig",
    "AuthConfig",
    "BatchConfig",
    "BootstrapConfig",
    "Category",
    "Config",
    "ConfigError",
    "ControlAdmissionConfig",
    "ControlConfig",
    "DeadLetterConfig",
    "ExecutionIpcConfig",
    "FailureConfig",
    "Fault",
    "GroupConfig",
    "HealthConfig",
    "HealthListenerConfig",
    "LifecycleEventsConfig",
    "LogExporterConfig",
    "LoggingConfig",
    "MetricsConfig",
    "MetricsExporterConfig",
    "NodeFailureConfig",
    "ObservabilityConfig",
    "PlatformConfig",
    "ReadinessConfig",
    "RequestsConfig",
    "RestartConfig",
    "RoutingCacheConfig",
    "RuntimeConfig",
    "ScenarioConfig",
    "TraceExporterConfig",
    "TracingConfig",
    "application_data",
    "build_config",
    "cautions",
    "config_schema",
    "dump_config",
    "load_config",
    "origin_of",
    "override_data",
    "parse_config",
    "place_of",
    "secret_values",
]

__version__ = "0.1.0"
