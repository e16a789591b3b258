"""The fund-load workload on stream kernel: rules, nodes, configurations, generator."""

__version__ = "0.1.0"
