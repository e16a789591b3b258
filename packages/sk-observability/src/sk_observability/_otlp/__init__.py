"""The OTLP kinds: spans, events and metrics, over gRPC and HTTP."""
