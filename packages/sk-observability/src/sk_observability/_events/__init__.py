"""Record lifecycle events: sequence numbers, rate limits, severities."""
