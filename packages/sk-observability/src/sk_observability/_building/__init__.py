"""From the configuration to exporters."""
