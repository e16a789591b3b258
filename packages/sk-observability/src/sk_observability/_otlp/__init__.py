"""Export spans, events and metrics with OTLP, over gRPC and HTTP."""
