"""What application code may raise that is no failure of it: it ends the process that it is in."""

from __future__ import annotations

from typing import Final

#: All else is what a node or an adapter failed of, a cancelled task (``CancelledError``) included.
ENDS: Final = (KeyboardInterrupt, SystemExit)
