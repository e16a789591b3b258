"""The exceptions of application code that end the process and do not count as its failure."""

from __future__ import annotations

from typing import Final

#: Any other exception is a failure of a node or adapter, including ``CancelledError`` of a task.
ENDS: Final = (KeyboardInterrupt, SystemExit)
