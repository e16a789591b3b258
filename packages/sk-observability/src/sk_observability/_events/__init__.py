"""The log of lifecycle events: sequence numbers, rate limits, severities."""
