"""`runtime.platform.admin`: the local socket over which a run is watched and stopped."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Text


class AdminConfig(ConfigModel):
    """The admin socket of a run, in a directory that only its user may enter."""

    enabled: Flag | None = Field(
        default=None,
        description="true: a run that cannot open its socket does not start; false: it opens none;"
        " null: it opens one where it can, and warns where it cannot",
    )
    run_dir: Text | None = Field(
        default=None,
        description="The run directory; null: SK_RUN_DIR, or the user's own",
    )
