"""The supervisor's one loop, and the mailbox that it waits on."""
