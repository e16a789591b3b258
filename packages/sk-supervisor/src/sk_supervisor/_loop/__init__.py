"""The supervisor's only loop, and the mailbox from which it takes events."""
