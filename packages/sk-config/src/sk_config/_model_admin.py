"""`runtime.platform.admin`: the local socket over which a run is watched and stopped."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Text


class AdminConfig(ConfigModel):
    """The admin socket, over which `sk status`, `top`, `stop` and `events` reach the run.

    Its directory can be entered by its user only.
    """

    enabled: Flag | None = Field(
        default=None,
        description="null: open the socket if possible, otherwise warn; true: without a socket the"
        " start fails; false: no socket",
    )
    run_dir: Text | None = Field(
        default=None,
        description="Directory of the socket; null: `SK_RUN_DIR`, else the user's run directory",
    )
