"""The hub, which relays signed frames between workers and never reads their payloads."""
