"""The bridge to tracers of the OpenTracing API."""
