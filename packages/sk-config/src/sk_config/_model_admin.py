"""`runtime.platform.admin`: the local socket by which a run is looked at and stopped."""

from __future__ import annotations

from pydantic import Field

from sk_config._base import ConfigModel
from sk_config._fields import Flag, Text


class AdminConfig(ConfigModel):
    """The admin socket of a run, in a directory that only its user may enter."""

    enabled: Flag | None = Field(
        default=None,
        description="true: a run that cannot have its socket fails to start; false: it has none;"
        " null: it has one where that is possible, and says so where it is not",
    )
    run_dir: Text | None = Field(
        default=None,
        description="The run directory; null: SK_RUN_DIR, or the user's own",
    )
