"""The ids of workers, and the formats of the messages between supervisor and workers."""
