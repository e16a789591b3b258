"""Export spans through a tracer of the OpenTracing API."""
