"""The hub, which relays signed frames between the workers and never reads their payloads."""
